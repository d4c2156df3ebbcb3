import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { run, type RunAction } from "../../src/provisioner/core/task.ts";
import {
  emptyPlace,
  localWorker,
  rejection,
  shells,
  type LocalWorker,
  type Place,
} from "../support/local-worker.ts";

const done = { kind: "done" };

/** Says that it runs, waits to be let go, and leaves a line for each time it ran. */
function job(place: Place, code = 0): RunAction {
  const script = `echo begun; echo once >>"$1/ran"; until [ -e "$1/go" ] || [ ! -d "$1" ]; do sleep 0.02; done; echo ended; exit ${code}`;
  return { ...run("sh", "-c", script, "job", place.path), detached: true };
}

for (const { name, argv, missing } of shells) {
  describe.skipIf(missing)(`under ${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    it("outlives its worker, and is attached by the next: run once", async () => {
      using place = emptyPlace();
      const first = await localWorker(place, { shell: argv });
      const flight = fly(first, job(place, 7));
      const lost = rejection(flight.result);
      await place.appears("ran");
      process.kill(-first.pid, "SIGKILL");
      expect(await lost).toMatchObject({ name: "HostLost" });

      await using second = await localWorker(place, { shell: argv });
      const again = fly(second, job(place, 7));
      await again.heard("begun\n");
      letGo(place);

      expect(await again.result).toEqual([{ kind: "failed", code: 7, tail: "begun\nended" }]);
      expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
    });

    it("gives the result of one that ended while nobody was there", async () => {
      using place = emptyPlace();
      const first = await localWorker(place, { shell: argv });
      const lost = rejection(fly(first, job(place, 5)).result);
      await place.appears("ran");
      process.kill(-first.pid, "SIGKILL");
      expect(await lost).toMatchObject({ name: "HostLost" });

      await using second = await localWorker(place, { shell: argv });
      letGo(place);
      const again = fly(second, job(place, 5));

      expect(await again.result).toEqual([{ kind: "failed", code: 5, tail: "begun\nended" }]);
      expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
    });

    it("is waited for after a reconnect, and its output told", async () => {
      using place = emptyPlace();
      const first = await localWorker(place, { shell: argv });
      const lost = rejection(fly(first, job(place)).result);
      await place.appears("ran");
      process.kill(-first.pid, "SIGKILL");
      expect(await lost).toMatchObject({ name: "HostLost" });

      await using second = await localWorker(place, { shell: argv });
      let said = "";
      await second.attachRunning((id, text) => {
        said += `${id}: ${text}`;
        letGo(place);
      });

      expect(said).toBe("long job: begun\nlong job: ended\n");
      expect((await fly(second, job(place)).result)[0]).toEqual(done);
      expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
    });
  });
}

it("keeps nobody from the lock once the connection is gone", async () => {
  using place = emptyPlace();
  const lock = { owner: "me", waitMs: 0 };
  const first = await localWorker(place, { lock });
  const flight = fly(first, job(place));
  const lost = rejection(flight.result);
  await flight.heard("begun\n");
  first.channel.close();
  expect(await lost).toMatchObject({ name: "HostLost" });

  await using second = await localWorker(place, { lock: { owner: "another", waitMs: 4000 } });
  const again = fly(second, job(place));
  letGo(place);

  expect(await again.result).toEqual([done]);
  expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
});

it("is handed over to the same run's next worker while the connection hangs", async () => {
  using place = emptyPlace();
  const lock = { owner: "me", waitMs: 0 };
  const hung = await localWorker(place, { lock });
  const flight = fly(hung, job(place));
  const lost = rejection(flight.result);
  await flight.heard("begun\n");

  await using second = await localWorker(place, { lock });
  expect(await lost).toMatchObject({ name: "HostLost" });
  const again = fly(second, job(place));
  letGo(place);

  expect(await again.result).toEqual([done]);
  expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
});

it("is in a session of its own, with nothing of the connection", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const script = 'ls -l /proc/$$/fd/[0-9]; cut -d " " -f 6 /proc/$$/stat';

  const { output } = await worker.act({ ...run("sh", "-c", script), detached: true });

  expect(output).not.toMatch(/pipe:/);
  expect(output.trim().split("\n").at(-1)).not.toBe(String(worker.pid));
});

it("is started anew by another run once it has ended", async () => {
  using place = emptyPlace();
  const first = await localWorker(place, { run: "run-1" });
  letGo(place);
  await fly(first, job(place)).result;
  process.kill(-first.pid, "SIGKILL");
  await first.channel.closed;

  await using second = await localWorker(place, { run: "run-2" });
  const landings = await fly(second, job(place)).result;

  expect(landings).toEqual([done]);
  expect(readFileSync(place.at("ran"), "utf8")).toBe("once\nonce\n");
});

it("is attached by another run while it runs", async () => {
  using place = emptyPlace();
  const first = await localWorker(place, { run: "run-1" });
  const lost = rejection(fly(first, job(place)).result);
  await place.appears("ran");
  process.kill(-first.pid, "SIGKILL");
  expect(await lost).toMatchObject({ name: "HostLost" });

  await using second = await localWorker(place, { run: "run-2" });
  const again = fly(second, job(place));
  await again.heard("begun\n");
  letGo(place);

  expect(await again.result).toEqual([done]);
  expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
});

it("does not take another command under its id for itself", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  letGo(place);
  await fly(worker, job(place)).result;

  const landings = await fly(worker, { ...run("sh", "-c", "echo other; exit 4"), detached: true }).result;

  expect(landings).toEqual([{ kind: "failed", code: 4, tail: "other" }]);
});

it("is failed, not run again, when it was killed", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const flight = fly(worker, job(place));
  await flight.heard("begun\n");
  const dir = jobDir(place);
  execFileSync("pkill", ["-KILL", "-s", readFileSync(`${dir}/pid`, "utf8").trim()]);

  expect(await flight.result).toEqual([
    { kind: "failed", code: 137, tail: expect.stringContaining("ended without a result") },
  ]);
  expect(await fly(worker, job(place)).result).toMatchObject([{ kind: "failed", code: 137 }]);
  expect(readFileSync(place.at("ran"), "utf8")).toBe("once\n");
});

it("times out with all it started", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);

  const landings = await fly(worker, { ...job(place), timeoutMs: 300 }).result;

  expect(landings).toEqual([{ kind: "timed-out", tail: "begun" }]);
  expect(existsSync(place.at("go"))).toBe(false);
});

it("gets its standard input and variables, and hides them from others", async () => {
  using place = emptyPlace();
  await using worker = await localWorker(place);
  const text = "it's $HOME\n-e \\n".repeat(6000);

  const { landing, output } = await worker.act({
    kind: "run",
    detached: true,
    command: {
      argv: ["sh", "-c", 'sha256sum; printf "%s" "$SECRET"'],
      stdin: text,
      env: { SECRET: "a 'b'" },
    },
  });

  const sum = createHash("sha256").update(text).digest("hex");
  expect(landing).toEqual(done);
  expect(output).toBe(`${sum}  -\na 'b'`);
});

/** Starts the flight of one detached order; `heard` waits until so much came of it. */
function fly(worker: LocalWorker, action: RunAction) {
  const said = new EventEmitter();
  let output = "";
  const flight = worker.fly({ orders: [{ id: "long job", action }], facts: [] }, (_, text) => {
    output += text;
    said.emit("more");
  });
  return {
    result: flight.then(({ landings }) => landings),
    async heard(text: string) {
      while (!output.includes(text)) await Promise.race([once(said, "more"), flight]);
    },
  };
}

function letGo(place: Place): void {
  writeFileSync(place.at("go"), "");
}

function jobDir(place: Place): string {
  const [name] = readdirSync(`${place.root}/jobs`);
  return `${place.root}/jobs/${name}`;
}
