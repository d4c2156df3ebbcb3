import { ProvisionError, type ErrorCode } from "../core/errors.ts";
import { HostLost, type Flight, type FlightResult, type Host, type OnOutput } from "../core/host.ts";
import { until } from "../core/until.ts";
import { quote } from "./quote.ts";
import { raise, type RaiseOptions } from "./raise.ts";
import type { SshConnection } from "./ssh-connection.ts";
import { workerCommand } from "./worker-command.ts";
import { freshToken, type WorkerOptions } from "./worker-options.ts";
import { startWorker, type Worker } from "./worker.ts";

/** A machine to work on over SSH. Times in milliseconds. */
export interface SshHostOptions extends RaiseOptions {
  /** For people: user@name:port. */
  readonly name: string;
  /**
   * Logs in: `connectSsh` for a host that is up, `waitForSsh` for a guest. Called at the start and each time the
   * connection was lost.
   */
  readonly connect: () => Promise<SshConnection>;
  /** Names the run: jobs that outlive a connection are found again by it. */
  readonly run: string;
  readonly signal: AbortSignal;
  readonly lock?: WorkerOptions["lock"];
  /** How long a lost machine may stay away; 600 000 when left out, for a reboot under emulation. */
  readonly awayMs?: number;
  /** Between two attempts to come back; 2 000 when left out, and never less in earnest: servers lock out. */
  readonly pauseMs?: number;
  /** The worker's own settings. */
  readonly worker?: Partial<Pick<WorkerOptions, "root" | "bootIdFile" | "leaseMs" | "readyMs" | "path">>;
}

/** Logs in, becomes root, starts the worker. Dispose it: that ends the worker and frees the run lock. */
export async function openSshHost(options: SshHostOptions): Promise<Host> {
  return new SshHost(options, await startSession(options));
}

/** What says that the machine is away or on its way down or up, and may be back. */
const passing: readonly ErrorCode[] = [
  "SSH_UNREACHABLE",
  "SSH_REFUSED",
  "SSH_TIMED_OUT",
  "SSH_HANDSHAKE_FAILED",
  "SSH_CHANNEL_REFUSED",
  // While it boots, pam_nologin lets nobody in.
  "LOGIN_REFUSED",
  "RAISE_FAILED",
];

class SshHost implements Host {
  readonly name: string;
  readonly #options: SshHostOptions;
  readonly #closed = new AbortController();
  #session: Session;
  #bootId: string;

  constructor(options: SshHostOptions, session: Session) {
    this.name = options.name;
    this.#options = options;
    this.#session = session;
    this.#bootId = session.worker.bootId;
  }

  fly(flight: Flight, onOutput?: OnOutput): Promise<FlightResult> {
    return this.#session.worker.fly(flight, onOutput);
  }

  async reconnect(onOutput?: OnOutput): Promise<{ readonly rebooted: boolean }> {
    const before = this.#bootId;
    for (;;) {
      // Not by the worker's goodbye, which would make it forget the jobs of this run.
      await this.#session.connection[Symbol.asyncDispose]();
      const session = await this.#comeBack();
      if (this.#closed.signal.aborted) await session[Symbol.asyncDispose]();
      this.#closed.signal.throwIfAborted();
      this.#session = session;
      this.#bootId = session.worker.bootId;
      try {
        await this.#session.worker.attachRunning(onOutput);
        return { rebooted: this.#bootId !== before };
      } catch (error) {
        // Lost again while a job went on: it goes on still, and so do we.
        if (!(error instanceof HostLost)) throw error;
      }
    }
  }

  /** Who still waits for a flight then must not bring it back: nobody would close that one, and it holds the lock. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error(`Cannot come back to ${this.name}: it was closed on this side`));
    await this.#session[Symbol.asyncDispose]();
  }

  async #comeBack(): Promise<Session> {
    let last: Error | undefined;
    const signal = AbortSignal.any([this.#options.signal, this.#closed.signal]);
    const session = await until(
      async () => {
        try {
          return await startSession(this.#options);
        } catch (error) {
          signal.throwIfAborted();
          if (!isPassing(error)) throw error;
          last = error;
          return undefined;
        }
      },
      {
        deadlineMs: this.#options.awayMs ?? 600_000,
        pauseMs: this.#options.pauseMs ?? 2000,
        longestMs: 10_000,
        signal,
      },
    );
    if (session) return session;
    const reason = last?.message ?? "it stays away";
    throw new ProvisionError("HOST_LOST", { host: this.name, reason }, { cause: last, where: this.name });
  }
}

function isPassing(error: unknown): error is Error {
  return error instanceof HostLost || (error instanceof ProvisionError && passing.includes(error.code));
}

interface Session extends AsyncDisposable {
  readonly connection: AsyncDisposable;
  readonly worker: Worker;
}

async function startSession(options: SshHostOptions): Promise<Session> {
  const connection = await options.connect();
  try {
    const worker = await workerOn(connection, options);
    return {
      connection,
      worker,
      async [Symbol.asyncDispose]() {
        await worker[Symbol.asyncDispose]();
        await connection[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

async function workerOn(connection: SshConnection, options: SshHostOptions): Promise<Worker> {
  const { name: host, run, signal, lock, worker } = options;
  const workerOptions: WorkerOptions = {
    ...worker,
    host,
    run,
    signal,
    lock,
    token: freshToken(),
    // As the login user: the worker gives him a folder of its own, and takes from there what is whole.
    upload: (localPath, remotePath, stop) => connection.upload(localPath, remotePath, stop),
  };
  const channel = await raise(connection, options).open(`exec ${quote(workerCommand(workerOptions))}`);
  return startWorker(channel, workerOptions);
}
