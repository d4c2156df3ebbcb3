import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

import type { Client, SFTPWrapper } from "ssh2";
import type SftpClient from "ssh2-sftp-client";

import { ProvisionError } from "../core/errors.ts";
import { HostLost } from "../core/host.ts";
import { quote } from "./quote.ts";
import type { SshChannel } from "./ssh-channel.ts";

/** A local file on its way to an absolute path of a machine. */
export interface Upload {
  readonly host: string;
  readonly localPath: string;
  readonly remotePath: string;
  readonly signal: AbortSignal;
}

/** How long the removal of a partial file may take. */
const removalMs = 3000;

/** Copies files by SFTP over one channel that stays open, one file at a time. */
export class SftpUploader {
  readonly #client: Client;
  #session: Promise<SFTPWrapper | undefined> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(client: Client) {
    this.#client = client;
  }

  /** `false` when the server has no SFTP: nothing was copied. A partial file is removed. */
  upload(upload: Upload): Promise<boolean> {
    // Two copies at once would need a second channel, and a connection has few.
    const turn = this.#queue.then(() => this.#copy(upload));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #copy(upload: Upload): Promise<boolean> {
    const { localPath, remotePath, signal, host } = upload;
    signal.throwIfAborted();
    await localSize(upload);
    const session = await this.#open();
    if (session === undefined) return false;
    try {
      await aborting(signal, async () => {
        // Made with its final mode: between open and chmod anybody could open it.
        await create(session, remotePath);
        await (await borrow(this.#client, session)).fastPut(localPath, remotePath, { mode: 0o600 });
      });
    } catch (error) {
      await this.#remove(remotePath);
      if (signal.aborted) throw signal.reason;
      throw failed({ host, path: remotePath }, error);
    }
    return true;
  }

  #open(): Promise<SFTPWrapper | undefined> {
    this.#session ??= new Promise((resolve, reject) => {
      try {
        this.#client.sftp((error, session) => {
          // Its requests tell of the same error; unheard, this event would end the process.
          session?.on("error", silent);
          session?.on("close", () => {
            this.#session = undefined;
          });
          resolve(error ? undefined : session);
        });
      } catch (error) {
        reject(error);
      }
    });
    return this.#session;
  }

  /** Over a new session: a copy cannot be stopped but by hanging up the one it runs on. */
  async #remove(path: string): Promise<void> {
    const old = await this.#session?.catch(() => undefined);
    old?.end();
    this.#session = undefined;
    const timeout = AbortSignal.timeout(removalMs);
    await aborting(timeout, async () => {
      const session = await this.#open();
      if (session) await new Promise<void>((resolve) => session.unlink(path, () => resolve()));
    }).catch(() => {});
  }
}

/** Copies through `cat` on a channel: for servers without SFTP, and for files that only root may write. */
export async function uploadByChannel(
  open: (line: string) => Promise<SshChannel>,
  upload: Upload,
): Promise<void> {
  const { host, localPath, remotePath, signal } = upload;
  signal.throwIfAborted();
  const size = await localSize(upload);
  // A cut connection is an early end of input for `cat`: the size tells, and nothing partial stays.
  const script =
    'umask 077; rm -f -- "$1"; cat > "$1" && [ "$(wc -c < "$1")" -eq "$2" ] || ' +
    '{ rm -f -- "$1"; echo "not all of it was written" >&2; exit 1; }';
  const channel = await open(
    `exec ${quote(["/bin/sh", "-c", script, "provision", remotePath, String(size)])}`,
  );
  const stop = () => channel.close();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  // Somebody must read, or the end of the output is never seen.
  channel.onOutput(() => {});
  try {
    await send(localPath, channel);
    const reason = await channel.closed;
    if (channel.exitCode === undefined) throw new HostLost(reason);
    if (channel.exitCode !== 0) throw new Error(reason);
  } catch (error) {
    channel.close();
    if (signal.aborted) throw signal.reason;
    if (error instanceof HostLost && channel.exitCode === undefined) throw error;
    const said = channel.exitCode === undefined ? "" : channel.stderrTail().trim();
    throw failed({ host, path: remotePath }, said ? new Error(said, { cause: error }) : error);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function localSize({ host, localPath, remotePath }: Upload): Promise<number> {
  const { size } = await stat(localPath).catch((error: unknown) => {
    throw failed({ host, path: remotePath }, error);
  });
  return size;
}

/** One piece at a time: what the far side has not taken is not read either. */
async function send(localPath: string, channel: SshChannel): Promise<void> {
  for await (const piece of createReadStream(localPath, { highWaterMark: 256 * 1024 }))
    await channel.write(piece as Buffer);
  channel.end();
}

function create(session: SFTPWrapper, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    session.open(path, "w", { mode: 0o600 }, (error, handle) => {
      if (error) reject(error);
      else session.close(handle, (closing) => (closing ? reject(closing) : resolve()));
    });
  });
}

/** The library tells of these by itself, on the console; the connection knows them already. */
function silent(): void {}

/** The library wants to make its own connection; given ours, it uses that and never ends it. */
async function borrow(client: Client, sftp: SFTPWrapper): Promise<SftpClient> {
  // Loaded at the first upload: a run that changes nothing has none.
  const { default: Library } = await import("ssh2-sftp-client");
  const borrowed = new Library("provision", { error: silent, end: silent, close: silent });
  return Object.assign(borrowed, { client, sftp });
}

/** Rejects with the signal's reason as soon as it is stopped, whatever the work still waits for. */
async function aborting<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let stop = silent;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work(), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function failed(about: { host: string; path: string }, error: unknown): ProvisionError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ProvisionError("UPLOAD_FAILED", { ...about, reason }, { cause: error });
}
