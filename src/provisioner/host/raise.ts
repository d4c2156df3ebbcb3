import { randomBytes } from "node:crypto";

import { ProvisionError, type ErrorFacts } from "../core/errors.ts";
import { HostLost } from "../core/host.ts";
import type { Channel, Connection } from "./channel.ts";
import { quote } from "./quote.ts";
import type { SshChannel } from "./ssh-channel.ts";
import type { SshConnection } from "./ssh-connection.ts";
import { uploadByChannel } from "./ssh-upload.ts";

/** How to become root where the login is not root's. */
export interface RaiseOptions {
  /** The login user's password for sudo. It goes to standard input after sudo's prompt, and nowhere else. */
  readonly sudoPassword?: string | undefined;
  /** How long sudo may stay silent; 30 000 when left out. */
  readonly timeoutMs?: number | undefined;
}

/** A connection whose programs and files are root's: as it is for root's own login, else through sudo. */
export function raise(connection: SshConnection, options: RaiseOptions): Connection {
  return connection.user === "root" ? connection : new RaisedConnection(connection, options);
}

class RaisedConnection implements Connection {
  readonly #connection: SshConnection;
  readonly #options: RaiseOptions;
  #refused: ProvisionError | undefined;

  constructor(connection: SshConnection, options: RaiseOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  open(line: string): Promise<Channel> {
    return this.#open(line);
  }

  /** Through `cat` as root: SFTP runs as the login user, who may not write where root works. */
  upload(localPath: string, remotePath: string, signal: AbortSignal): Promise<void> {
    const { name: host } = this.#connection;
    return uploadByChannel((line) => this.#open(line), { host, localPath, remotePath, signal });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  async #open(line: string): Promise<SshChannel> {
    // A wrong password is not sent again: sudo counts, and locks the user out.
    if (this.#refused) throw this.#refused;
    const token = randomBytes(16).toString("hex");
    const channel = await this.#connection.open(raisedLine(line, token, this.#options));
    try {
      await sudoDone(channel, this.#connection, { token, ...this.#options });
    } catch (error) {
      channel.close();
      if (error instanceof ProvisionError && error.code === "RAISE_PASSWORD_WRONG") this.#refused = error;
      throw error;
    }
    channel.forgetStderrThrough(raisedMark(token));
    return channel;
  }
}

/**
 * The login shell sees one plain word list (it may be csh or fish). `sh` then asks sudo in the C locale, and
 * says on standard error when the line is about to start: standard output is the program's from its first byte.
 */
function raisedLine(line: string, token: string, { sudoPassword }: RaiseOptions): string {
  const ask = sudoPassword === undefined ? "-n" : `-S -p ${passwordPrompt(token)}`;
  const start = 'echo "provision-raised-$2" >&2; exec /bin/sh -c "$1"';
  const script =
    `LC_ALL=C LANGUAGE= PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"; export LC_ALL LANGUAGE PATH; ` +
    `if [ "$(id -u)" = 0 ]; then ${start}; fi; ` +
    `command -v sudo >/dev/null 2>&1 || { echo "provision-no-sudo-$2" >&2; exit 127; }; ` +
    `exec sudo ${ask} -- /bin/sh -c "$3" provision "$1" "$2"`;
  return `exec ${quote(["/bin/sh", "-c", script, "provision", line, token, start])}`;
}

/** Resolves when the program runs as root; rejects with the error that says why it does not. */
async function sudoDone(
  channel: SshChannel,
  { name: host, user }: SshConnection,
  { token, sudoPassword, timeoutMs = 30_000 }: RaiseOptions & { token: string },
): Promise<void> {
  const about = { host, user };
  let said = channel.stderrTail();
  let sent = false;
  const cleanUp = new Set<() => void>();
  const answer = new Promise<void>((resolve, reject) => {
    const look = () => {
      const prompts = said.split(passwordPrompt(token)).length - 1;
      if (said.includes(raisedMark(token))) resolve();
      else if (said.includes(`provision-no-sudo-${token}`))
        reject(new ProvisionError("RAISE_NO_SUDO", about));
      else if (sent && prompts > 1) reject(new ProvisionError("RAISE_PASSWORD_WRONG", about));
      else if (!sent && prompts > 0 && sudoPassword !== undefined) {
        sent = true;
        // When sudo ends instead of reading it, the channel's end below says why.
        channel.write(Buffer.from(`${sudoPassword}\n`)).catch(() => {});
      }
    };
    const stopListening = channel.onStderr((bytes) => {
      said += bytes.toString("utf8");
      look();
    });
    const silent = `it did not answer within ${Math.ceil(timeoutMs / 1000)} s`;
    const timer = setTimeout(() => reject(refusal(about, `${said}\n${silent}`)), timeoutMs);
    cleanUp.add(stopListening).add(() => clearTimeout(timer));
    void channel.closed.then((reason) =>
      reject(channel.exitCode === undefined ? new HostLost(reason) : refusal(about, said || reason)),
    );
    look();
  });
  await answer.finally(() => cleanUp.forEach((undo) => undo()));
}

function raisedMark(token: string): string {
  return `provision-raised-${token}`;
}

function passwordPrompt(token: string): string {
  return `provision-password-${token}:`;
}

/** Which refusal sudo's words mean; it speaks English here. */
function refusal(about: ErrorFacts<"RAISE_NO_SUDO">, tail: string): ProvisionError {
  const said = tail.replaceAll(/provision-password-\w+:/g, "").trim();
  if (/must have a tty/.test(said)) return new ProvisionError("RAISE_NEEDS_TTY", about);
  if (/incorrect password|Sorry, try again/.test(said))
    return new ProvisionError("RAISE_PASSWORD_WRONG", about);
  if (/password is required|no password was provided/.test(said))
    return new ProvisionError("RAISE_PASSWORD_NEEDED", about);
  if (/not in the sudoers|not allowed to|may not run sudo/.test(said))
    return new ProvisionError("RAISE_REFUSED", { ...about, said });
  return new ProvisionError("RAISE_FAILED", { ...about, said });
}
