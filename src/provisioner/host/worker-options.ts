import { randomBytes } from "node:crypto";

/** How a worker is started and what it may use. The same value goes to `workerCommand` and `startWorker`. */
export interface WorkerOptions {
  /** For people: user@name:port. */
  readonly host: string;
  /** Names the run; stays the same after a reconnect, so that its detached jobs are found again. */
  readonly run: string;
  /** From `freshToken`, for this one start. */
  readonly token: string;
  /** Copies a local file to a path on the far side; `Connection.upload` is one. */
  readonly upload: (localPath: string, remotePath: string, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** One run at a time: refused as LOCKED once another run, or owner, has held it for `waitMs`. */
  readonly lock?: { readonly owner: string; readonly waitMs: number } | undefined;
  /** How long the worker starts orders without a word from the controller; 60 000 when left out. */
  readonly leaseMs?: number | undefined;
  /** Bound on the start, waiting for the lock not counted; 30 000 when left out. */
  readonly readyMs?: number | undefined;
  /** Bound on each section of facts in place of the readers' own. */
  readonly factLimitMs?: number | undefined;
  /** Where the worker keeps its things; /run/provision when left out. */
  readonly root?: string | undefined;
  /** PATH on the far side; the system's directories when left out. */
  readonly path?: string | undefined;
  /** The shell that runs the worker; /bin/sh when left out. */
  readonly shell?: readonly [string, ...string[]] | undefined;
  /** Where the kernel tells which boot this is. */
  readonly bootIdFile?: string | undefined;
}

/** 128 bits that nobody can guess, as 32 hex digits. */
export function freshToken(): string {
  return randomBytes(16).toString("hex");
}

/** Where a worker keeps its things on the far side. */
export function workerRoot(options: WorkerOptions): string {
  return options.root ?? "/run/provision";
}
