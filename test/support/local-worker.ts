import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FactAnswer, FactRequest } from "../../src/provisioner/core/facts.ts";
import type { Errand, Landing, OnOutput } from "../../src/provisioner/core/host.ts";
import { until } from "../../src/provisioner/core/until.ts";
import { workerCommand } from "../../src/provisioner/host/worker-command.ts";
import { freshToken, type WorkerOptions } from "../../src/provisioner/host/worker-options.ts";
import { startWorker, type Worker } from "../../src/provisioner/host/worker.ts";
import { localChannel, type LocalChannel } from "./local-channel.ts";

/** A place for one test: the worker's own directory and room for files. */
export interface Place extends Disposable {
  readonly path: string;
  /** Where workers keep their things. */
  readonly root: string;
  at(name: string): string;
  /** What lies there beside the worker's own things. */
  contents(): string[];
  /** Waits for a file that a program of the test makes. */
  appears(name: string): Promise<void>;
}

/** An empty place below the system's temporary directory; disposing removes it. */
export function emptyPlace(): Place {
  const path = mkdtempSync(join(tmpdir(), "provision-test-"));
  return {
    path,
    root: join(path, "run"),
    at: (name) => join(path, name),
    contents: () =>
      readdirSync(path)
        .filter((name) => name !== "run")
        .toSorted(),
    async appears(name) {
      const look = () => Promise.resolve(existsSync(join(path, name)) ? true : undefined);
      const patience = { deadlineMs: 20_000, pauseMs: 10, signal: AbortSignal.timeout(30_000) };
      if (!(await until(look, patience))) throw new Error(`${name} did not appear`);
    },
    [Symbol.dispose]: () => removeWhole(path),
  };
}

/** A worker on this machine. */
export interface LocalWorker extends Worker {
  readonly channel: LocalChannel;
  readonly options: WorkerOptions;
  /** One order, with what it printed. */
  act(action: Errand, expects?: string | null): Promise<{ landing: Landing | undefined; output: string }>;
  ask(...facts: readonly FactRequest[]): Promise<readonly FactAnswer[]>;
}

/** Starts a worker for real, as root's or whoever runs the tests. */
export async function localWorker(place: Place, given: Partial<WorkerOptions> = {}): Promise<LocalWorker> {
  const options: WorkerOptions = {
    host: "here",
    run: "run-1",
    token: freshToken(),
    root: place.root,
    upload: (from, to) => Promise.resolve(copyFileSync(from, to)),
    signal: AbortSignal.timeout(60_000),
    ...given,
  };
  const channel = localChannel(workerCommand(options));
  const worker = await startWorker(channel, options);
  let orders = 0;
  return Object.assign(worker, {
    channel,
    options,
    async act(action: Errand, expects?: string | null) {
      let output = "";
      const onOutput: OnOutput = (_, text) => (output += text);
      const id = `order ${orders++}`;
      const order = { id, action, ...(expects !== undefined && { expects }) };
      const { landings } = await worker.fly({ orders: [order], facts: [] }, onOutput);
      return { landing: landings[0], output };
    },
    ask: async (...facts: readonly FactRequest[]) => (await worker.fly({ orders: [], facts })).answers,
  });
}

/**
 * What a killed worker started may write once more while its folder is removed. Node's own retries only try the
 * last rmdir again, not what has come into the folder since.
 */
function removeWhole(path: string): void {
  for (let left = 100; ; left -= 1) {
    try {
      rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
}

/** The shells that targets have as /bin/sh, with why one is left out. */
export const shells = [
  { name: "dash", argv: ["dash"] as [string], missing: missing("dash") },
  { name: "bash", argv: ["bash", "--posix"] as [string, string], missing: missing("bash") },
  { name: "busybox", argv: ["busybox", "sh"] as [string, string], missing: missing("busybox") },
];

function missing(program: string): string | undefined {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}

/** What a promise rejects with. Asked for at once, so that no rejection goes unhandled meanwhile. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("it did not reject");
    },
    (error: unknown) => error,
  );
}
