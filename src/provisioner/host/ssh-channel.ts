import type { ClientChannel } from "ssh2";

import { HostLost } from "../core/host.ts";
import type { Channel } from "./channel.ts";

/** How much of standard error is kept. */
const tailBytes = 8192;
/** After the program's end: how long output may stay silent, and how long it may last, before we hang up. */
const drainMs = { silent: 200, longest: 2000 };

/** A program on the far side of an SSH connection. */
export class SshChannel implements Channel {
  readonly closed: Promise<string>;
  readonly #stream: ClientChannel;
  readonly #writing = new Set<(lost: HostLost) => void>();
  readonly #stderrListeners = new Set<(bytes: Buffer) => void>();
  #stderr = Buffer.alloc(0);
  #settle: (reason: string) => void = () => {};
  #over: string | undefined;
  #exit: { readonly code: number | null; readonly words: string } | undefined;
  #drain: NodeJS.Timeout | undefined;
  #drainEnds = 0;

  constructor(stream: ClientChannel) {
    this.#stream = stream;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    stream.on("exit", (code: number | null, signal?: string) => {
      const words = code === null ? `it was killed by ${signal}` : `it ended with exit code ${code}`;
      this.#exit = { code, words };
      this.#drainEnds = performance.now() + drainMs.longest;
      this.#awaitSilence();
    });
    // A `close` without an exit is a server that hung up: never a success.
    stream.on("close", () => this.#finish(this.#exit?.words ?? "the server closed the channel"));
    stream.on("error", (error: Error) => this.#finish(error.message));
    // Always drained: unread standard error stops the whole channel at 3 MB.
    stream.stderr.on("data", (bytes: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, bytes]).subarray(-tailBytes);
      this.#awaitSilence();
      for (const listener of this.#stderrListeners) listener(bytes);
    });
  }

  /** Exit code; null when a signal ended it, undefined while it runs or when it is not known. */
  get exitCode(): number | null | undefined {
    return this.#exit?.code;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(new HostLost(this.#over));
    return new Promise((resolve, reject) => {
      // ssh2 never calls back when the reader is gone: the channel's end settles what still waits.
      this.#writing.add(reject);
      this.#stream.write(bytes, (error) => {
        this.#writing.delete(reject);
        if (error) reject(new HostLost(error.message, { cause: error }));
        else resolve();
      });
    });
  }

  /** Closes the program's standard input, after what was written. */
  end(): void {
    this.#stream.end();
  }

  onOutput(listener: (bytes: Buffer) => void): void {
    // Until now nobody read: the bytes waited in the stream, and behind it in the SSH window.
    this.#stream.on("data", (bytes: Buffer) => {
      this.#awaitSilence();
      listener(bytes);
    });
  }

  stderrTail(): string {
    return this.#stderr.toString("utf8");
  }

  /** Hands on each piece of standard error; gives what stops it. */
  onStderr(listener: (bytes: Buffer) => void): () => void {
    this.#stderrListeners.add(listener);
    return () => this.#stderrListeners.delete(listener);
  }

  /** Forgets standard error up to the end of the line that holds `mark`: it was ours, not the program's. */
  forgetStderrThrough(mark: string): void {
    const end = this.#stderr.indexOf("\n", Math.max(0, this.#stderr.indexOf(mark)));
    this.#stderr = this.#stderr.subarray(end + 1);
  }

  /** The connection is gone. ssh2's own `close` may never come: it waits for output that nobody reads. */
  lose(reason: string): void {
    this.#finish(reason);
  }

  close(): void {
    this.#finish("it was closed on this side");
  }

  /** `close` waits for background children that hold the output: after `exit`, a silence is the end. */
  #awaitSilence(): void {
    if (this.#exit === undefined || this.#over !== undefined) return;
    const { words } = this.#exit;
    const left = Math.min(drainMs.silent, this.#drainEnds - performance.now());
    clearTimeout(this.#drain);
    this.#drain = setTimeout(() => this.#finish(words), Math.max(0, left));
  }

  #finish(reason: string): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    clearTimeout(this.#drain);
    this.#stream.close();
    for (const reject of this.#writing) reject(new HostLost(reason));
    this.#writing.clear();
    this.#settle(reason);
  }
}
