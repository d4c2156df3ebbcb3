import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from "node:fs";

import { expect, it } from "vitest";

import { run } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker, type LocalWorker } from "../support/local-worker.ts";

const done = { kind: "done" };

it("gives programs a clean environment and the signals of a fresh process", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const script = 'echo "$LC_ALL|$LANGUAGE|$PWD|$(umask)"; trap "echo int" INT; kill -INT $$; cat';

  const { output } = await worker.act(run("sh", "-c", script));

  expect(output).toBe("C||/|0022\nint\n");
});

it("ignores what a login shell prints before it is ready", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place, {
    shell: ["sh", "-c", 'echo "Welcome to $0 ready"; exec /bin/sh "$@"', "sh"],
  });

  expect((await worker.act(run("echo", "hi"))).output).toBe("hi\n");
});

it("keeps nothing behind", async () => {
  using place = emptyPlace();
  const worker = await localWorker(place, { lock: { owner: "me", waitMs: 0 } });
  await worker.act({ ...run("true"), detached: true });

  await worker[Symbol.asyncDispose]();

  expect(readdirSync(place.root)).toEqual(["jobs"]);
  expect(readdirSync(`${place.root}/jobs`)).toEqual([]);
});

it("keeps its own things from everybody else", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);

  const modes = readdirSync(place.root).map((name) => [
    name.split(".")[0],
    (lstatSync(`${place.root}/${name}`).mode & 0o777).toString(8),
  ]);

  expect(Object.fromEntries(modes)).toMatchObject({ drop: "700", worker: "700" });
  expect(worker.uid).toBe(process.getuid?.());
});

it("clears up behind a worker that was killed", async () => {
  using place = emptyPlace();
  const dead = await localWorker(place);
  process.kill(-dead.pid, "SIGKILL");
  await dead.channel.closed;

  await using worker = await localWorker(place);

  expect(readdirSync(place.root).filter((name) => name.includes(dead.options.token))).toEqual([
    `lease.${dead.options.token}`,
  ]);
  expect((await worker.act(run("true"))).landing).toEqual(done);
});

it("says that the host is lost when the worker dies in a flight", async () => {
  using place = emptyPlace();
  const worker = await localWorker(place);

  const flight = worker.act(run("sh", "-c", `kill -9 ${worker.pid}`));

  await expect(flight).rejects.toMatchObject({ name: "HostLost" });
  await expect(worker.act(run("true"))).rejects.toMatchObject({ name: "HostLost" });
  await worker[Symbol.asyncDispose]();
});

it("runs nothing of a frame that was cut off", async () => {
  using place = emptyPlace();
  const worker = await localWorker(place);
  const send = worker.channel.write.bind(worker.channel);
  worker.channel.write = async (bytes) => {
    await send(bytes.subarray(0, -200));
    worker.channel.child.stdin?.end();
  };

  const { landings } = await worker.fly({
    orders: [
      { id: "whole", action: run("touch", place.at("touched")) },
      { id: "cut off", action: run("echo", "x".repeat(300)) },
    ],
    facts: [],
  });

  expect(landings).toMatchObject([{ kind: "failed" }, { kind: "skipped" }]);
  expect(existsSync(place.at("touched"))).toBe(false);
});

it("starts no order once the controller was silent for the lease, and none after it hung up", async () => {
  using place = emptyPlace();
  const worker = await localWorker(place, { leaseMs: 200 });
  worker.channel.write = silentAfterOne(worker);

  const flight = worker.fly({
    orders: [
      { id: "a", action: run("sleep", "0.5") },
      { id: "b", action: run("touch", place.at("late")) },
    ],
    facts: [],
  });

  await expect(flight).rejects.toMatchObject({ name: "HostLost" });
  worker.channel.close();
  await worker.channel.closed;
  expect(existsSync(place.at("late"))).toBe(false);
});

it("goes on past the lease while the controller speaks", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place, { leaseMs: 200 });

  const { landings } = await worker.fly({
    orders: [
      { id: "a", action: run("sleep", "0.6") },
      { id: "b", action: run("true") },
    ],
    facts: [],
  });

  expect(landings).toEqual([done, done]);
});

it("ends with WORKER_FAILED where it cannot work", async () => {
  using place = emptyPlace();
  writeFileSync(place.at("run"), "a file");

  await expect(localWorker(place)).rejects.toMatchObject({ code: "WORKER_FAILED", exitCode: 4 });
});

it.skipIf(process.getuid?.() !== 0)("lets whoever logged in put files, and nobody else", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place, {
    shell: ["env", "SUDO_UID=54321", "SUDO_GID=54322", "/bin/sh"],
  });

  const { uid, gid, mode } = statSync(`${place.root}/drop.${worker.options.token}`);

  expect([uid, gid, (mode & 0o777).toString(8)]).toEqual([54321, 54322, "700"]);
});

function silentAfterOne(worker: LocalWorker): LocalWorker["channel"]["write"] {
  const real = worker.channel.write.bind(worker.channel);
  let sent = 0;
  return (bytes) => (sent++ === 0 ? real(bytes) : Promise.resolve());
}
