import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { runSession } from "../../src/provisioner/cli/session.ts";
import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { fakeShell } from "../support/fake-shell.ts";

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "provision-home-"));
});

afterEach(() => rm(home, { recursive: true }));

const plain = { color: false };

describe("runSession", () => {
  it("puts the result on standard output and everything else on standard error", async () => {
    const shell = fakeShell(home);

    const code = await runSession({ shell, flags: plain, command: "demo" }, async ({ run, result }) => {
      await run.within(
        "Look",
        async () => {},
        () => "seen",
      );
      result("the answer", { answer: 42 });
      return "as-wanted";
    });

    expect(code).toBe(0);
    expect(shell.out.join("")).toBe("the answer\n");
    expect(shell.err.join("")).toMatch(/^Look\nLook: done, 0\.\d s, seen\n0\.\d s\nlog: .*\.log\n$/);
  });

  it("keeps a secret out of an error that nobody caught", async () => {
    const shell = fakeShell(home);

    await runSession({ shell, flags: plain, command: "demo" }, async ({ redactor }) => {
      redactor.add("open sesame");
      return "as-wanted";
    });

    expect(shell.bug("Error: cannot say open sesame")).toBe("Error: cannot say ***");
  });

  it("writes all of it as JSON lines with --json, the error too", async () => {
    const shell = fakeShell(home);

    const code = await runSession(
      { shell, flags: { ...plain, json: true }, command: "demo" },
      async ({ run }) => {
        run.note("soon");
        throw new ProvisionError("USAGE", { what: "Cannot x", mend: "Do y" });
      },
    );

    const events = shell.out
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string });
    expect(code).toBe(2);
    expect(shell.err).toEqual([]);
    expect(events.map(({ kind }) => kind)).toEqual(["run-started", "note", "error", "run-ended"]);
    expect(events).toContainEqual({ kind: "error", code: "USAGE", message: "Cannot x", mend: "Do y" });
    expect(events.at(-1)).toMatchObject({ exitCode: 2 });
  });

  it("counts what was changed, what was not and the flights", async () => {
    const shell = fakeShell(home);
    const change = { what: "x", from: undefined, to: "1", actions: [] };

    await runSession({ shell, flags: plain, command: "demo" }, async ({ run }) => {
      run.report({ kind: "flight", step: 0, orders: 0, facts: 2, ms: 1 });
      run.report({
        kind: "use-ended",
        step: 0,
        use: "sysctl a.b",
        outcome: "changed",
        changes: [change],
        ms: 1,
      });
      run.report({ kind: "use-ended", step: 0, use: "sysctl c.d", outcome: "ok", changes: [], ms: 1 });
      return "as-wanted";
    });

    expect(shell.err.join("")).toContain("changed sysctl a.b\n    x: absent -> 1\n");
    expect(shell.err.join("")).toMatch(/1 change, 1 ok, 1 flight, 0\.\d s\n/);
  });

  it("ends 3 when changes wait and 6 when something is not as wanted", async () => {
    const session = { shell: fakeShell(home), flags: plain, command: "demo" };

    expect(await runSession(session, async () => "changes-wait")).toBe(3);
    expect(await runSession(session, async () => "not-as-wanted")).toBe(6);
  });

  it("shows the stack of a bug and ends 1", async () => {
    const shell = fakeShell(home);

    const code = await runSession({ shell, flags: plain, command: "demo" }, async () => {
      throw new TypeError("undefined is not a bird");
    });

    expect(code).toBe(1);
    expect(shell.err.join("")).toMatch(/error BUG\n {2}TypeError: undefined is not a bird\n {6}at /);
    expect(shell.err.join("")).toContain("mend: Report this with the log of the run");
  });

  it("tells the reason, and what clean-up threw beside it", async () => {
    const shell = fakeShell(home);

    const code = await runSession({ shell, flags: plain, command: "demo" }, async () => {
      await using _held = { [Symbol.asyncDispose]: async () => Promise.reject(new Error("disk is busy")) };
      throw new ProvisionError("USAGE", { what: "Cannot x", mend: "Do y" });
    });

    expect(code).toBe(2);
    expect(shell.err.join("")).toContain("warning: Clean-up failed: disk is busy\n");
    expect(shell.err.join("")).toContain("error USAGE\n  Cannot x\n  mend: Do y\n");
  });

  it("says that it cleans up when stopped, then that nothing is left, and ends 130", async () => {
    const shell = fakeShell(home);

    const code = await runSession({ shell, flags: plain, command: "demo" }, async ({ run }) => {
      await run.within("Wait", async (inner) => {
        shell.stop();
        inner.signal.throwIfAborted();
      });
      return "as-wanted";
    });

    expect(code).toBe(130);
    expect(shell.err.join("")).toContain("warning: Stopping: cleaning up");
    expect(shell.err.join("")).toContain("Wait: stopped");
    expect(shell.err.join("")).toContain(
      "error STOPPED\n  Stopped: everything that was opened is closed again\n",
    );
  });

  it("says what clean-up could not remove when stopped", async () => {
    const shell = fakeShell(home);

    await runSession({ shell, flags: plain, command: "demo" }, async ({ run }) => {
      await using _held = { [Symbol.asyncDispose]: async () => Promise.reject(new Error("disk is busy")) };
      shell.stop();
      run.signal.throwIfAborted();
      return "as-wanted";
    });

    expect(shell.err.join("")).toContain("Stopped: disk is busy; `provision gc` removes what is left");
  });

  it("knows which steps are open when a second signal comes", async () => {
    const shell = fakeShell(home);
    let left = "";

    await runSession({ shell, flags: plain, command: "demo" }, async ({ run }) => {
      await run.within("Build", (outer) =>
        outer.within("Boot", async () => {
          left = shell.left();
        }),
      );
      return "as-wanted";
    });

    expect(left).toBe('"Build" > "Boot" was not finished; `provision gc` removes what it left');
  });

  it("keeps the whole run in a private log file, and lets the oldest go", async () => {
    const folder = join(home, ".local/state/provision/log");
    await mkdir(folder, { recursive: true });
    for (let index = 10; index < 70; index++) {
      await writeFile(join(folder, `2020-${index}-build.log`), "");
      await utimes(join(folder, `2020-${index}-build.log`), 0, 0);
    }
    const shell = fakeShell(home);
    const run = { command: "build --spec base", shell, flags: plain };

    await runSession(run, async ({ run: { report } }) => {
      report({ kind: "output", step: 0, line: "Unpacking curl \u001B[31mred" });
      return "as-wanted";
    });

    const logs = (await readdir(folder)).toSorted();
    const file = join(folder, logs.at(-1) ?? "");
    const text = await readFile(file, "utf8");
    expect(logs).toHaveLength(50);
    expect(logs[0]).toBe("2020-21-build.log");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(text).toMatch(/Z run build --spec base\n/);
    expect(text).toMatch(/Z {3}\| Unpacking curl red\n/);
    expect(text).toMatch(/Z exit 0\n$/);
    expect(shell.err.join("")).toContain(`log: ${file}\n`);
  });

  it("keeps the log of a run that many others outlive, which still writes to it", async () => {
    const folder = join(home, ".local/state/provision/log");
    await mkdir(folder, { recursive: true });
    for (let index = 10; index < 70; index++) await writeFile(join(folder, `2020-${index}-build.log`), "");

    await runSession({ command: "plan", shell: fakeShell(home), flags: plain }, async () => "as-wanted");

    expect(await readdir(folder)).toHaveLength(61);
  });

  it("goes on without its log when the disk of that is full, and says so", async () => {
    const shell = fakeShell(home);

    const code = await runSession(
      { shell, flags: { ...plain, log: "/dev/full" }, command: "demo" },
      async ({ run, result }) => {
        run.note("soon");
        result("done", {});
        return "as-wanted";
      },
    );

    expect([code, shell.out]).toEqual([0, ["done\n"]]);
    expect(shell.err.join("")).toMatch(
      /^soon\nwarning: The log of this run ends early: ENOSPC[^\n]*\n0\.\d s\nlog: \/dev\/full\n$/,
    );
  });

  it("is a mistake of the command line when the log cannot be kept", async () => {
    await writeFile(join(home, "file"), "");
    const log = join(home, "file/run.log");
    const session = { shell: fakeShell(home), flags: { ...plain, log }, command: "demo" };

    await expect(runSession(session, async () => "as-wanted")).rejects.toMatchObject({
      code: "USAGE",
      exitCode: 2,
      message: `Cannot keep a log: "${log}" must be a file that can be written, is not (EEXIST)`,
    });
  });

  it("lets what comes after the end go by", async () => {
    const shell = fakeShell(home);
    let late = () => {};

    await runSession({ shell, flags: plain, command: "demo" }, async ({ run }) => {
      late = () => run.report({ kind: "output", step: 0, line: "too late" });
      return "as-wanted";
    });

    expect(late).not.toThrow();
  });

  it("writes the log where --log says", async () => {
    const shell = fakeShell(home);
    const log = join(home, "here/run.log");

    await runSession(
      { shell, flags: { ...plain, log }, command: "demo", quiet: true },
      async () => "as-wanted",
    );

    expect(await readFile(log, "utf8")).toContain("run demo");
  });
});
