import { HostLost } from "../core/host.ts";
import type { Channel } from "./channel.ts";
import { frameParser } from "./frame-parser.ts";
import type { WorkerOptions } from "./worker-options.ts";

/** Who listens to a frame. */
export interface Listener<T> {
  data(bytes: Buffer): void;
  mark(words: readonly string[], end: (value: T) => void, fail: (error: Error) => void): void;
}

/** The channel with one listener at a time, its end made an error, and the lease kept up while one listens. */
export class Line {
  readonly #channel: Channel;
  readonly #host: string;
  readonly #leaseMs: number;
  #take: ((chunk: Buffer) => void) | undefined;
  #busy = false;
  #closed: string | undefined;

  constructor(channel: Channel, options: WorkerOptions) {
    this.#channel = channel;
    this.#host = options.host;
    this.#leaseMs = options.leaseMs ?? 60_000;
    // Nobody listens between flights: what comes then is nobody's answer.
    channel.onOutput((chunk) => this.#take?.(chunk));
    void channel.closed.then((reason) => (this.#closed = reason));
  }

  /** Sends, then listens for marks of the token until one of them is the end. */
  async listen<T>(token: string, limitMs: number, listener: Listener<T>, send?: Buffer): Promise<T> {
    if (this.#busy) throw new Error("Cannot fly: a flight is under way");
    if (this.#closed !== undefined) throw this.#lost(this.#closed);
    this.#busy = true;
    let limit: NodeJS.Timeout | undefined;
    let lease: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        limit = setTimeout(() => reject(this.#lost(`no answer in ${Math.round(limitMs / 1000)} s`)), limitMs);
        void this.#channel.closed.then((reason) => reject(this.#lost(reason)));
        this.#take = frameParser(token, {
          data: (bytes) => listener.data(bytes),
          mark: (words) => listener.mark(words, resolve, reject),
        });
        if (!send) return;
        this.#channel.write(send).catch(reject);
        lease = setInterval(
          () => void this.#channel.write(Buffer.from("lease -\n")).catch(reject),
          this.#leaseMs / 3,
        );
      });
    } finally {
      clearTimeout(limit);
      clearInterval(lease);
      this.#take = undefined;
      this.#busy = false;
    }
  }

  /** Lets the worker clean up behind itself; a closed channel is as good. */
  async close(): Promise<void> {
    if (this.#closed === undefined) {
      const graceMs = 5000;
      const gone = this.#channel.closed;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs);
      });
      await Promise.race([
        this.#channel.write(Buffer.from("bye -\n")).then(
          () => gone,
          () => gone,
        ),
        late,
      ]);
      clearTimeout(timer);
    }
    this.#channel.close();
  }

  #lost(reason: string): HostLost {
    const said = this.#channel.stderrTail().trim();
    return new HostLost(`${this.#host}: ${reason}${said && ` (${said})`}`);
  }
}
