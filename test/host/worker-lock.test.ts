import { existsSync, readFileSync, readdirSync, writeFileSync, mkdirSync } from "node:fs";

import { expect, it } from "vitest";

import { run } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker, rejection, type Place } from "../support/local-worker.ts";

const anna = { owner: "anna@desk run 1", waitMs: 0 };
const bert = { owner: "bert@desk run 2", waitMs: 0 };

it("refuses a second owner, names the first and how to clear the lock", async () => {
  using place = emptyPlace();
  await using first = await localWorker(place, { lock: anna });

  const second = localWorker(place, { lock: bert });

  await expect(second).rejects.toMatchObject({
    code: "LOCKED",
    exitCode: 7,
    message: expect.stringContaining("anna@desk run 1"),
    mend: expect.stringContaining(`rm ${place.root}/lock`),
  });
  expect((await first.act(run("true"))).landing).toEqual({ kind: "done" });
});

it("tells another run of an owner of the same name from the one that holds it", async () => {
  using place = emptyPlace();
  await using first = await localWorker(place, { lock: anna });

  const second = localWorker(place, { lock: anna, run: "run-2" });

  await expect(second).rejects.toMatchObject({ code: "LOCKED" });
  expect((await first.act(run("true"))).landing).toEqual({ kind: "done" });
});

it("lets one of many that start at once have it", async () => {
  using place = emptyPlace();
  mkdirSync(place.root, { mode: 0o711 });
  const owners = Array.from({ length: 6 }, (_, at) => ({ owner: `owner ${at}`, waitMs: 0 }));

  const started = await Promise.allSettled(owners.map((lock) => localWorker(place, { lock })));

  const workers = started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  expect(workers).toHaveLength(1);
  expect(readLock(place)[0]).toBe(workers[0]?.options.lock?.owner);
  await workers[0]?.[Symbol.asyncDispose]();
});

it("gives it back when the worker ends, whichever way", async () => {
  using place = emptyPlace();
  const clean = await localWorker(place, { lock: anna });
  await clean[Symbol.asyncDispose]();
  const hungUp = await localWorker(place, { lock: bert });
  hungUp.channel.close();
  await hungUp.channel.closed;
  const told = await localWorker(place, { lock: anna });
  process.kill(told.pid, "SIGTERM");
  await told.channel.closed;

  expect(existsSync(`${place.root}/lock`)).toBe(false);
  expect(readdirSync(place.root)).toEqual([]);
});

it("waits for the one before", async () => {
  using place = emptyPlace();
  const first = await localWorker(place, { lock: anna });

  const waiting = localWorker(place, { lock: { ...bert, waitMs: 20_000 } });
  await first.act(run("true"));
  await first[Symbol.asyncDispose]();

  await using second = await waiting;
  expect(readLock(place).slice(0, 2)).toEqual([bert.owner, String(second.pid)]);
});

it("keeps another owner out of a dead worker's lock until its lease has run out", async () => {
  using place = emptyPlace();
  const dead = await localWorker(place, { lock: anna, leaseMs: 1000 });
  process.kill(-dead.pid, "SIGKILL");
  await dead.channel.closed;

  await expect(localWorker(place, { lock: bert })).rejects.toMatchObject({ code: "LOCKED" });

  await using second = await localWorker(place, { lock: { ...bert, waitMs: 20_000 } });
  expect(readLock(place)[1]).toBe(String(second.pid));
});

it("lets the same run have a dead worker's lock at once", async () => {
  using place = emptyPlace();
  const dead = await localWorker(place, { lock: anna });
  process.kill(-dead.pid, "SIGKILL");
  await dead.channel.closed;

  await using second = await localWorker(place, { lock: anna });

  expect(readLock(place)[1]).toBe(String(second.pid));
});

it("makes the same run's worker of a hung connection end after the order it is at", async () => {
  using place = emptyPlace();
  const hung = await localWorker(place, { lock: anna });
  const flight = hung.fly({
    orders: [
      {
        id: "a",
        action: run("sh", "-c", `touch ${place.at("begun")}; sleep 0.5; touch ${place.at("ended")}`),
      },
      { id: "b", action: run("touch", place.at("never")) },
    ],
    facts: [],
  });
  const lost = rejection(flight);
  await place.appears("begun");

  await using second = await localWorker(place, { lock: anna });
  expect(await lost).toMatchObject({ name: "HostLost" });

  expect(existsSync(place.at("ended"))).toBe(true);
  expect(existsSync(place.at("never"))).toBe(false);
  expect(readLock(place)[1]).toBe(String(second.pid));
});

it.each([
  ["nothing", ""],
  ["garbage", "\u0000\u0001what\n"],
  ["half of it", "anna\n123\n"],
  ["a pid that is none", "anna\n-1\nboot\nabc\n/x\nrun-0\n"],
])("takes a lock that holds %s for held", async (_, content) => {
  using place = emptyPlace();
  mkdirSync(place.root, { mode: 0o711 });
  writeFileSync(`${place.root}/lock`, content);

  await expect(localWorker(place, { lock: bert })).rejects.toMatchObject({ code: "LOCKED" });

  expect(readFileSync(`${place.root}/lock`, "utf8")).toBe(content);
});

it("takes over a lock of an earlier boot", async () => {
  using place = emptyPlace();
  mkdirSync(place.root, { mode: 0o711 });
  writeFileSync(`${place.root}/lock`, `anna\n1\nan-earlier-boot\nabc\n${place.root}/x\nrun-0\n`);

  await using worker = await localWorker(place, { lock: bert });

  expect(readLock(place).slice(0, 3)).toEqual([bert.owner, String(worker.pid), worker.bootId]);
});

it("does not take a process that got a dead worker's id for the worker", async () => {
  using place = emptyPlace();
  const dead = await localWorker(place, { lock: anna, leaseMs: 10 });
  process.kill(-dead.pid, "SIGKILL");
  await dead.channel.closed;
  const lines = readLock(place);
  lines[1] = String(process.pid);
  writeFileSync(`${place.root}/lock`, lines.join("\n"));

  await using worker = await localWorker(place, { lock: { ...bert, waitMs: 5000 } });

  expect(readLock(place)[1]).toBe(String(worker.pid));
});

it("takes no lock and minds none when it is not asked for one", async () => {
  using place = emptyPlace();
  await using first = await localWorker(place, { lock: anna });

  await using looker = await localWorker(place);

  expect(await looker.ask({ kind: "sysctl", about: "kernel.ostype" })).toEqual([{ value: "Linux" }]);
  expect(readLock(place)[1]).toBe(String(first.pid));
});

function readLock(place: Place): string[] {
  return readFileSync(`${place.root}/lock`, "utf8").split("\n");
}
