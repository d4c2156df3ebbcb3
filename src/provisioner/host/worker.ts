import { ProvisionError } from "../core/errors.ts";
import { HostLost, type Flight, type FlightResult, type OnOutput } from "../core/host.ts";
import type { Channel } from "./channel.ts";
import { compileFlight } from "./compile-flight.ts";
import { deliver } from "./deliver.ts";
import { FlightLog } from "./flight-log.ts";
import type { FrameEvents } from "./frame-parser.ts";
import { Line } from "./line.ts";
import { freshToken, workerRoot, type WorkerOptions } from "./worker-options.ts";

/** Our own worker of a lost connection may still be at an order: the new one waits that long for it. */
const evictionMs = 150_000;

/** The program on the far side that flights go to. One flight at a time. */
export interface Worker extends AsyncDisposable {
  /** Which boot of the machine this is. */
  readonly bootId: string;
  /** Its process on the far side. */
  readonly pid: number;
  readonly uid: number;
  /** Rejects with `HostLost` when the channel broke, with ACTION_REFUSED before anything was sent. */
  fly(flight: Flight, onOutput?: OnOutput): Promise<FlightResult>;
  /** Waits for each detached job of this run that still runs; what it printed comes from its start. */
  attachRunning(onOutput?: OnOutput): Promise<void>;
}

/**
 * Waits until the program that `workerCommand` of the same options started is ready. Throws LOCKED when
 * another run has the machine, WORKER_FAILED when it cannot work there, `HostLost` when the channel closes.
 */
export async function startWorker(channel: Channel, options: WorkerOptions): Promise<Worker> {
  const line = new Line(channel, options);
  const waitMs = options.lock ? options.lock.waitMs + evictionMs : 0;
  try {
    const words = await line.listen<readonly string[]>(options.token, (options.readyMs ?? 30_000) + waitMs, {
      data() {},
      mark: (said, end) => end(said),
    });
    const [kind, bootId = "", pid, uid] = words;
    const rest = words.slice(1).join(" ");
    if (kind === "locked") {
      const lock = `${workerRoot(options)}/lock`;
      throw new ProvisionError("LOCKED", { host: options.host, holder: rest, lock }, { where: options.host });
    }
    if (kind !== "ready") throw workerFailed(options.host, rest);
    return new RunningWorker(line, options, { bootId, pid: Number(pid), uid: Number(uid) });
  } catch (error) {
    channel.close();
    throw error;
  }
}

function workerFailed(host: string, reason: string): ProvisionError {
  return new ProvisionError("WORKER_FAILED", { host, reason }, { where: host });
}

class RunningWorker implements Worker {
  readonly bootId: string;
  readonly pid: number;
  readonly uid: number;
  readonly #line: Line;
  readonly #options: WorkerOptions;

  constructor(line: Line, options: WorkerOptions, said: { bootId: string; pid: number; uid: number }) {
    this.#line = line;
    this.#options = options;
    this.bootId = said.bootId;
    this.pid = said.pid;
    this.uid = said.uid;
  }

  async fly(flight: Flight, onOutput: OnOutput = () => {}): Promise<FlightResult> {
    // Before anything is sent: it refuses what cannot be.
    const alone = compileFlight(flight, new Map(), this.#options.factLimitMs);
    await using files = await deliver(flight.orders, {
      drop: `${workerRoot(this.#options)}/drop.${this.#options.token}`,
      roomy: (path) => this.#roomyPlace(path),
      upload: this.#options.upload,
      signal: this.#options.signal,
    });
    const frame =
      files.paths.size === 0 ? alone : compileFlight(flight, files.paths, this.#options.factLimitMs);
    const log = new FlightLog(flight, frame, onOutput);
    const code = await this.#run(frame.text + files.cleanUp, frame.limitMs, log);
    return log.result(code);
  }

  async attachRunning(onOutput: OnOutput = () => {}): Promise<void> {
    let id: string | undefined;
    let decoder = new TextDecoder();
    await this.#run("attend_all\n", 3_700_000, {
      data: (bytes) => {
        const text = decoder.decode(bytes, { stream: true });
        if (id !== undefined && text !== "") onOutput(id, text);
      },
      mark: ([kind, ...words]) => {
        if (kind === "attached") id = words.join(" ");
        if (kind === "detached") id = undefined;
        decoder = new TextDecoder();
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line.close();
  }

  /** A directory on a disk: /run is memory, and a big file there would take the machine's. */
  async #roomyPlace(path: string): Promise<void> {
    const text = `echo ${path} >>"$d/roomy" && mkdir -m 700 ${path} && { [ -z "$SUDO_UID" ] || chown "$SUDO_UID:$SUDO_GID" ${path}; }\n`;
    const code = await this.#run(text, 60_000, { data() {}, mark() {} });
    if (code !== 0) throw workerFailed(this.#options.host, `cannot make ${path}`);
  }

  async #run(text: string, limitMs: number, events: FrameEvents): Promise<number> {
    const token = freshToken();
    // In braces: a shell reads them to the end before it runs the first word, so no half of a frame runs.
    const bytes = Buffer.from(`{\n${text}}\n`);
    const frame = Buffer.concat([Buffer.from(`${bytes.length} ${token}\n`), bytes]);
    return this.#line.listen<number>(
      token,
      limitMs,
      {
        data: (piece) => events.data(piece),
        mark: (words, end, fail) => {
          if (words[0] === "end") end(Number(words[1]));
          else if (words[0] === "lapsed") fail(new HostLost("the worker had no word from here for too long"));
          else events.mark(words);
        },
      },
      frame,
    );
  }
}
