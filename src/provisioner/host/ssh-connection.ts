import type { Duplex } from "node:stream";

import type { Client } from "ssh2";

import { ProvisionError } from "../core/errors.ts";
import { HostLost } from "../core/host.ts";
import { pause } from "../core/until.ts";
import type { Connection } from "./channel.ts";
import { SshChannel } from "./ssh-channel.ts";
import { uploadByChannel, SftpUploader, type Upload } from "./ssh-upload.ts";

/** How long a server may take to say goodbye. */
const closingMs = 1000;

interface Made {
  readonly client: Client;
  readonly socket: Duplex;
  readonly name: string;
  readonly user: string;
  /** The jump host's connection this one runs in; closed with it. */
  readonly through: AsyncDisposable | undefined;
}

/** A login on one machine, through as many jump hosts as it takes. */
export class SshConnection implements Connection {
  /** For people: user@host:port. */
  readonly name: string;
  readonly user: string;
  /** Resolves with the reason when the connection is gone, by whoever. */
  readonly lost: Promise<string>;
  readonly #client: Client;
  readonly #socket: Duplex;
  readonly #through: AsyncDisposable | undefined;
  readonly #uploader: SftpUploader;
  readonly #channels = new Set<SshChannel>();
  #over: string | undefined;

  constructor(made: Made) {
    const { client, socket, name, user, through } = made;
    this.#client = client;
    this.#socket = socket;
    this.name = name;
    this.user = user;
    this.#through = through;
    this.#uploader = new SftpUploader(client);
    const broke = (reason: string) => {
      this.#over ??= `the connection broke: ${reason}`;
    };
    // After the login each of these is the end; what waits for `close` must already find the reason.
    client.on("error", (error) => broke(error.message));
    client.on("end", () => broke("the machine hung up"));
    this.lost = new Promise((resolve) => {
      client.on("close", () => {
        broke("it was closed without a word");
        const words = this.#over ?? "";
        for (const channel of this.#channels) channel.lose(words);
        resolve(words);
      });
    });
  }

  open(line: string): Promise<SshChannel> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(this.#failure(error));
      try {
        this.#client.exec(line, (error, stream) => {
          if (error) fail(error);
          else resolve(this.#track(new SshChannel(stream)));
        });
      } catch (error) {
        fail(error);
      }
    });
  }

  /** A TCP connection from the far side on to another machine. */
  forward(host: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      try {
        this.#client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
          if (error) reject(error);
          else resolve(stream);
        });
      } catch (error) {
        reject(this.#failure(error));
      }
    });
  }

  async upload(localPath: string, remotePath: string, signal: AbortSignal): Promise<void> {
    const upload: Upload = { host: this.name, localPath, remotePath, signal };
    const done = await this.#uploader.upload(upload).catch((error: unknown) => {
      throw this.#over === undefined ? error : new HostLost(this.#over, { cause: error });
    });
    if (!done) await uploadByChannel((line) => this.open(line), upload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over ??= "it was closed on this side";
    this.#client.end();
    const giveUp = new AbortController();
    // A dead peer never answers the goodbye; the socket below is ours to close.
    await Promise.race([this.lost, pause(closingMs, giveUp.signal)]);
    giveUp.abort();
    this.#socket.destroy();
    await this.#through?.[Symbol.asyncDispose]();
  }

  #track(channel: SshChannel): SshChannel {
    this.#channels.add(channel);
    void channel.closed.then(() => this.#channels.delete(channel));
    return channel;
  }

  #failure(error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#over !== undefined) return new HostLost(this.#over, { cause: error });
    // ssh2 throws this between the end of the socket and its own `close`.
    if (reason === "Not connected") return new HostLost("the connection broke", { cause: error });
    return new ProvisionError("SSH_CHANNEL_REFUSED", { host: this.name, reason }, { cause: error });
  }
}
