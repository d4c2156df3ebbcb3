import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { run, write, type Action } from "../../src/provisioner/core/task.ts";
import { emptyPlace, localWorker, shells, type LocalWorker, type Place } from "../support/local-worker.ts";

const done = { kind: "done" };
const asMe = { owner: String(process.getuid?.() ?? 0), group: String(process.getgid?.() ?? 0) };

/** Text that can be sent. Long enough at times to go as a file instead of in the frame. */
const sendable = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        "$",
        "`",
        "\\",
        "\n",
        ";",
        "&",
        "-",
        "!",
        "*",
        "~",
        " ",
        "é",
        "🎉",
        "\r",
      ),
    }),
    fc.constantFrom(
      "-n",
      "-e x",
      "\n",
      "\n\n",
      "x\n\n",
      "%s\\n",
      "$(exit 1)",
      "'",
      "\u007f",
      "x".repeat(70_000),
    ),
  )
  .filter((text) => !/\0|\p{Surrogate}/u.test(text));

for (const { name, argv, missing } of shells) {
  describe.skipIf(missing)(`under ${name}${missing ? ` (skipped: ${missing})` : ""}`, () => {
    it("brings any text unchanged to files, arguments, variables and standard input", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      await fc.assert(
        fc.asyncProperty(sendable, async (text) => {
          const argument = text.slice(0, 1000);

          const { landings, answers } = await worker.fly({
            orders: [
              { id: "write", action: write(place.at("written"), text, asMe) },
              {
                id: "run",
                action: { kind: "run", command: { argv: ["tee", place.at("teed")], stdin: text } },
              },
              {
                id: "args",
                action: {
                  kind: "run",
                  command: {
                    argv: [
                      "sh",
                      "-c",
                      'printf %s "$1" >"$2"; printf %s "$ODD" >"$3"',
                      "sh",
                      argument,
                      place.at("arg"),
                      place.at("env"),
                    ],
                    env: { ODD: argument },
                  },
                },
              },
            ],
            facts: [
              { kind: "file", about: place.at("written") },
              { kind: "query", about: { argv: ["cat"], stdin: argument } },
            ],
          });

          expect(landings).toEqual([done, done, done]);
          expect(readFileSync(place.at("written"), "utf8")).toBe(text);
          expect(readFileSync(place.at("teed"), "utf8")).toBe(text);
          expect(readFileSync(place.at("arg"), "utf8")).toBe(argument);
          expect(readFileSync(place.at("env"), "utf8")).toBe(argument);
          // Busybox's own find tells no contents.
          if (name !== "busybox") expect(answers[0]).toEqual({ value: text });
          expect(answers[1]).toMatchObject({ value: { code: 0, stdout: argument } });
        }),
        { numRuns: 12 },
      );
    });

    it("streams output as it comes and keeps its end", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landing, output } = await worker.act(
        run("sh", "-c", "echo out; echo \u001b[31merr >&2; exit 7"),
      );

      expect(output).toBe("out\n\u001b[31merr\n");
      expect(landing).toEqual({ kind: "failed", code: 7, tail: "out\nerr" });
    });

    // Busybox's own timeout knows no process group: there the program alone is killed.
    it.skipIf(name === "busybox")("kills what ran out of time, with its children", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });
      const script = `echo begun; sleep 61.5 & echo $! >${place.at("child")}; wait`;

      const { landing } = await worker.act({ ...run("sh", "-c", script), timeoutMs: 300 });

      expect(landing).toMatchObject({ kind: "timed-out", tail: expect.stringContaining("begun") });
      expect(alive(readFileSync(place.at("child"), "utf8").trim())).toBe(false);
    });

    it("takes exit code 124 for a failure, not for a lack of time", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landing } = await worker.act(run("sh", "-c", "exit 124"));

      expect(landing).toEqual({ kind: "failed", code: 124, tail: "" });
    });

    it("skips what follows a failure, and reads the facts all the same", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });

      const { landings, answers } = await worker.fly({
        orders: [
          { id: "a", action: run("true") },
          { id: "b", action: { kind: "run", command: { argv: ["sh", "-c", "exit 2"], accept: [0, 2] } } },
          { id: "c", action: run("sh", "-c", "echo no; exit 3") },
          { id: "d", action: run("touch", place.at("never")) },
        ],
        facts: [{ kind: "user", about: "root" }],
      });

      expect(landings).toEqual([done, done, { kind: "failed", code: 3, tail: "no" }, { kind: "skipped" }]);
      expect(existsSync(place.at("never"))).toBe(false);
      expect(answers).toMatchObject([{ value: { uid: 0 } }]);
    });

    it("lets a child that keeps the output open hold up nobody, nor write into facts", async () => {
      using place = emptyPlace();
      await using worker = await localWorker(place, { shell: argv });
      const noisy = "( while :; do echo noise; sleep 0.01; done ) & echo $!";
      let output = "";

      const { landings, answers } = await worker.fly(
        {
          orders: [{ id: "a", action: run("sh", "-c", noisy) }],
          facts: [{ kind: "query", about: { argv: ["sh", "-c", "sleep 0.2; echo clean"] } }],
        },
        (_, text) => (output += text),
      );

      expect(landings).toEqual([done]);
      expect(answers).toMatchObject([{ value: { stdout: "clean\n", stderr: "" } }]);
      execFileSync("sh", ["-c", `kill ${Number.parseInt(output, 10)} 2>/dev/null || true`]);
    });
  });
}

describe("files", () => {
  it("writes with mode and owner, over what is there, and leaves no temporary file", async () => {
    using place = emptyPlace();
    writeFileSync(place.at("file"), "old", { mode: 0o666 });
    await using worker = await localWorker(place);

    const { landing } = await worker.act(write(place.at("file"), "new", { mode: "0640", ...asMe }));

    expect(landing).toEqual(done);
    expect(contents(place)).toEqual(["file"]);
    expect(readFileSync(place.at("file"), "utf8")).toBe("new");
    expect(statSync(place.at("file")).mode & 0o7777).toBe(0o640);
  });

  it.each([
    ["writes when the file is what was planned on", "old", sha("old"), done],
    ["writes when nothing was there", undefined, null, done],
    ["stops when the file changed", "other", sha("old"), { kind: "changed-underneath" }],
    ["stops when the file is gone", undefined, sha("old"), { kind: "changed-underneath" }],
    ["stops when a file came", "came", null, { kind: "changed-underneath" }],
  ])("%s", async (_, before, expects, landing) => {
    using place = emptyPlace();
    if (before !== undefined) writeFileSync(place.at("file"), before);
    await using worker = await localWorker(place);

    const landed = await worker.act(write(place.at("file"), "new", asMe), expects);

    expect(landed.landing).toEqual(landing);
    const after = existsSync(place.at("file")) ? readFileSync(place.at("file"), "utf8") : undefined;
    expect(after).toBe(landing === done ? "new" : before);
    expect(contents(place)).toEqual(after === undefined ? [] : ["file"]);
  });

  it("leaves the old file and no other when the new one cannot be finished", async () => {
    using place = emptyPlace();
    writeFileSync(place.at("file"), "old");
    await using worker = await localWorker(place);

    const { landing } = await worker.act(write(place.at("file"), "new", { owner: "no-such-user" }));

    expect(landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("no-such-user") });
    expect(readFileSync(place.at("file"), "utf8")).toBe("old");
    expect(contents(place)).toEqual(["file"]);
  });

  it("fails when the parent is missing or a directory is in the place", async () => {
    using place = emptyPlace();
    mkdirSync(place.at("dir"));
    await using worker = await localWorker(place);

    const missing = await worker.act(write(place.at("none/file"), "x", asMe));
    const inPlace = await worker.act(write(place.at("dir"), "x", asMe));

    expect(missing.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("No such file") });
    expect(inPlace.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("directory") });
    expect(contents(place)).toEqual(["dir"]);
  });

  it("uploads bytes, and refuses those that arrive damaged", async () => {
    using place = emptyPlace();
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 256));
    writeFileSync(place.at("source"), bytes);
    await using worker = await localWorker(place);
    const source = { path: place.at("source"), size: bytes.length, sha256: sha(bytes) };

    const good = await worker.act({ kind: "upload", path: place.at("good"), source, ...asMe });
    const bad = await worker.act({
      kind: "upload",
      path: place.at("bad"),
      source: { ...source, sha256: sha("else") },
      ...asMe,
    });

    expect(good.landing).toEqual(done);
    expect(readFileSync(place.at("good"))).toEqual(bytes);
    expect(bad.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("arrived damaged") });
    expect(contents(place)).toEqual(["good", "source"]);
    expect(readdirSync(`${place.root}/drop.${worker.options.token}`)).toEqual([]);
  });

  it("makes directories with their parents, and sets only what is given on one that is there", async () => {
    using place = emptyPlace();
    mkdirSync(place.at("there"), { mode: 0o701 });
    await using worker = await localWorker(place);

    const made = await worker.act({ kind: "directory", path: place.at("a/b c/d"), mode: "2750", ...asMe });
    const left = await worker.act({ kind: "directory", path: place.at("there") });
    const set = await worker.act({ kind: "directory", path: place.at("there"), mode: "0711" });

    expect([made.landing, left.landing, set.landing]).toEqual([done, done, done]);
    expect(statSync(place.at("a/b c/d")).mode & 0o7777).toBe(0o2750);
    expect(statSync(place.at("a/b c")).mode & 0o7777).toBe(0o755);
    expect(statSync(place.at("there")).mode & 0o7777).toBe(0o711);
  });

  it("makes a link, or puts it in the place of another", async () => {
    using place = emptyPlace();
    symlinkSync("before", place.at("link"));
    await using worker = await localWorker(place);

    const { landing } = await worker.act({ kind: "symlink", path: place.at("link"), target: "-to $it" });

    expect(landing).toEqual(done);
    expect(readlinkSync(place.at("link"))).toBe("-to $it");
    expect(contents(place)).toEqual(["link"]);
  });

  it("sets mode and leaves the content", async () => {
    using place = emptyPlace();
    writeFileSync(place.at("file"), "x", { mode: 0o600 });
    symlinkSync("file", place.at("link"));
    await using worker = await localWorker(place);

    const { landing } = await worker.act({
      kind: "attributes",
      path: place.at("file"),
      mode: "4711",
      ...asMe,
    });
    const link = await worker.act({ kind: "attributes", path: place.at("link"), mode: "0777" });

    expect(landing).toEqual(done);
    expect(link.landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("symbolic link") });
    expect(statSync(place.at("file")).mode & 0o7777).toBe(0o4711);
  });

  it("removes trees and links, not what links lead to, and is content when nothing is there", async () => {
    using place = emptyPlace();
    mkdirSync(place.at("tree/deep"), { recursive: true });
    mkdirSync(place.at("kept"));
    writeFileSync(place.at("kept/file"), "x");
    symlinkSync(place.at("kept"), place.at("tree/deep/link"));
    symlinkSync(place.at("kept"), place.at("link"));
    await using worker = await localWorker(place);

    for (const name of ["tree", "link", "none"]) {
      const { landing } = await worker.act({ kind: "remove", path: place.at(name) });
      expect(landing).toEqual(done);
    }

    expect(contents(place)).toEqual(["kept"]);
    expect(existsSync(place.at("kept/file"))).toBe(true);
  });

  it.skipIf(!canMount())("removes nothing where something is mounted below", async () => {
    using place = emptyPlace();
    mkdirSync(place.at("tree/mounted here/x"), { recursive: true });
    writeFileSync(place.at("tree/file"), "x");
    execFileSync("mount", ["--bind", place.at("tree/mounted here/x"), place.at("tree/mounted here")]);
    await using worker = await localWorker(place);

    try {
      const { landing } = await worker.act({ kind: "remove", path: place.at("tree") });

      expect(landing).toMatchObject({ kind: "failed", tail: expect.stringContaining("tree/mounted here") });
      expect(existsSync(place.at("tree/file"))).toBe(true);
    } finally {
      execFileSync("umount", [place.at("tree/mounted here")]);
    }
  });
});

describe("refusals", () => {
  const cases: [string, (place: Place) => Action][] = [
    ["a relative path", () => write("etc/hosts", "x")],
    ["a path that climbs", (place) => write(`${place.path}/a/../b`, "x")],
    ["NUL in a path", (place) => write(place.at("a\0b"), "x")],
    ["NUL in a text", (place) => write(place.at("a"), "x\0y")],
    ["half a surrogate in a text", (place) => write(place.at("a"), "x\ud800")],
    ["NUL in an argument", () => run("echo", "a\0b")],
    ["NUL in standard input", () => ({ kind: "run", command: { argv: ["cat"], stdin: "\0" } })],
    ["a variable that is no name", () => ({ kind: "run", command: { argv: ["env"], env: { "A;B": "x" } } })],
    ["a mode that is none", (place) => write(place.at("a"), "x", { mode: "644" })],
    ["an owner that is none", (place) => write(place.at("a"), "x", { owner: "a:b" })],
    ["an empty link", (place) => ({ kind: "symlink", path: place.at("a"), target: "" })],
    ["removing the root", () => ({ kind: "remove", path: "//./" })],
    ["removing /usr", () => ({ kind: "remove", path: "/usr/" })],
    ["writing to the root", () => write("/", "x")],
  ];

  it.each(cases)("refuses %s before anything is sent", async (_, action) => {
    using place = emptyPlace();
    await using worker = await localWorker(place);

    const flight = worker.fly({
      orders: [
        { id: "first", action: run("touch", place.at("touched")) },
        { id: "bad", action: action(place) },
      ],
      facts: [],
    });

    await expect(flight).rejects.toMatchObject({ code: "ACTION_REFUSED", exitCode: 2 });
    expect(contents(place)).toEqual([]);
    expect((await worker.act(run("true"))).landing).toEqual(done);
  });
});

describe("the worker", () => {
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
    const frame = `touch ${place.at("touched")}\n`;

    await worker.channel.write(Buffer.from(`500 token\n{\n${frame}`));
    worker.channel.child.stdin?.end();
    await worker.channel.closed;

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
});

function silentAfterOne(worker: LocalWorker): LocalWorker["channel"]["write"] {
  const real = worker.channel.write;
  let sent = 0;
  return (bytes) => (sent++ === 0 ? real(bytes) : Promise.resolve());
}

function sha(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function contents(place: Place): string[] {
  return readdirSync(place.path)
    .filter((name) => name !== "run")
    .toSorted();
}

function alive(pid: string): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1];
    return state !== undefined && !state.startsWith("Z");
  } catch {
    return false;
  }
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["-m", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
