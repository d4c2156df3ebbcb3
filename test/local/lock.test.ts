import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { startRun } from "../../src/provisioner/core/run.ts";
import { holdLock } from "../../src/provisioner/local/lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

function quietRun(said: string[] = [], signal = new AbortController().signal) {
  return startRun({
    signal,
    now: () => performance.now(),
    report: (event) => {
      if (event.kind === "note") said.push(event.text);
    },
  });
}

it("lets the second wait until the first is done, and says for whom it waits", async () => {
  const path = join(folder, "one");
  const said: string[] = [];
  const order: string[] = [];
  const first = await holdLock(path, "the build of base", quietRun());

  const second = holdLock(path, "the build of base", quietRun(said)).then((lock) => {
    order.push("second");
    return lock;
  });
  await expect.poll(() => said).toEqual([`Waiting for process ${process.pid}, which has the build of base`]);
  order.push("first done");
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();

  expect(order).toEqual(["first done", "second"]);
});

it("gives up waiting when the run is stopped", async () => {
  const path = join(folder, "one");
  await using _held = await holdLock(path, "it", quietRun());
  const stop = new AbortController();

  const waiting = holdLock(path, "it", quietRun([], stop.signal));
  stop.abort(new Error("stopped"));

  await expect(waiting).rejects.toThrow("stopped");
});
