import { beforeEach, describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { Type } from "../../src/provisioner/core/schema.ts";
import { defineTask, run as program, type Task, write } from "../../src/provisioner/core/task.ts";
import type { Trial } from "../../src/provisioner/trial/trial.ts";
import { tryOne } from "../../src/provisioner/trial/try-one.ts";
import { absent } from "../../src/tasks/absent.ts";
import { directory } from "../../src/tasks/directory.ts";
import { file } from "../../src/tasks/file.ts";
import { group } from "../../src/tasks/group.ts";
import { type FakeScratch, fakeScratch } from "../support/fake-scratch.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { sourcesOf } from "../support/tasks.ts";

let scratch: FakeScratch;
beforeEach(() => {
  scratch = fakeScratch();
});

const where = { file: "a trial", line: 1, column: 1 };
const useOf = (task: Task, params: unknown) => ({
  id: `${task.name} ${task.subject(params)}`,
  task,
  params,
  where,
});
const trialOf = (task: Task, params: unknown, more: Partial<Trial> = {}): Trial => ({
  subject: task.name,
  title: "an example",
  given: [],
  recipe: [useOf(task, params)],
  ...more,
});

async function tried(trial: Trial, sources = sourcesOf()) {
  const { run, events } = recordedRun();
  const result = await tryOne(trial, { scratch, sources, run });
  const words = result.verdicts.map(({ proof, outcome }) => `${proof} ${outcome}`);
  return { result, events, words, last: result.verdicts.at(-1) };
}

/** A task that keeps the text of one file, and how it goes wrong. */
function noteTask(wrong: Partial<Task<never, never>> = {}): Task {
  return defineTask({
    name: "note",
    summary: "A note.",
    schema: Type.Object({}),
    examples: [],
    subject: () => "note",
    owns: () => ["/etc/note"],
    read: async (facts) => facts.file("/etc/note"),
    plan: (_params: unknown, found: string | undefined) =>
      found === "hello\n"
        ? []
        : [{ what: "/etc/note", from: found, to: "hello\n", actions: [write("/etc/note", "hello\n")] }],
    ...(wrong as object),
  }) as Task;
}

const allHeld = ["empty held", "check held", "apply held", "again held", "drift held"];

describe("a task that keeps its word", () => {
  it("is proved in five parts, each of them an assertion", async () => {
    const { result, words, events } = await tried(trialOf(file, { path: "/etc/motd", content: "hello\n" }));

    expect(words).toEqual(allHeld);
    expect(result.verdicts.map(({ found }) => found)).toEqual([
      "1 to change",
      "1 to change",
      "1 changed",
      "0 changes",
      "removed, altered: mended",
    ]);
    expect(events.filter(({ kind }) => kind === "assertion")).toHaveLength(5);
    expect(events.filter(({ kind }) => kind === "use-ended")).toEqual([]);
    expect(scratch.host.files.read("/etc/motd")).toBe("hello\n");
  });

  it("starts on a machine that is as it was, with what it needs", async () => {
    await scratch.reset(recordedRun().run);
    scratch.host.files.write("/etc/left", "by another\n");
    const given = [useOf(directory, { path: "/var/www" })];

    const { words } = await tried(
      trialOf(file, { path: "/var/www/index.html", content: "hello\n" }, { given }),
    );

    expect(words).toEqual(allHeld);
    expect(scratch.host.files.read("/etc/left")).toBeUndefined();
  });

  it("goes on with the machine as it is when the trial continues", async () => {
    await scratch.reset(recordedRun().run);

    await tried(trialOf(file, { path: "/etc/motd", content: "hello\n" }, { continues: true }));

    expect(scratch.resets()).toBe(1);
  });

  it("gets back what it takes away, and takes it again", async () => {
    scratch.prepare = (host) => host.files.write("/etc/motd", "hello\n");

    const { words, last } = await tried(trialOf(absent, { path: "/etc/motd" }));

    expect([words, last?.found]).toEqual([allHeld, "put back: mended"]);
  });

  it("is spoiled as it says itself, or as the trial says", async () => {
    const { last } = await tried(trialOf(group, { name: "docs" }));
    expect(scratch.host.journal).toContain("run groupdel docs");

    const spoil = () => [program("groupmod", "--gid", "77", "docs")];
    const other = await tried(trialOf(group, { name: "docs", gid: 50 }, { spoil }));

    expect([last?.found, other.last?.found]).toEqual(["spoiled: mended", "spoiled: mended"]);
    expect(scratch.host.groups.get("docs")?.gid).toBe(50);
  });
});

describe("a task that does not", () => {
  it("is named with what was wanted and what was got when it never settles", async () => {
    const restless = noteTask({ read: (async () => "something else\n") as never });

    const { words, last } = await tried(trialOf(restless, {}));

    expect(words).toEqual(["empty held", "check held", "apply broken"]);
    expect(last?.found).toBe(
      String.raw`Cannot settle note note: /etc/note must be "hello\n", is "something else\n"`,
    );
  });

  it("is named with what it changes again the second time", async () => {
    // Settled whenever it has just been changed, and not any more when the second run comes.
    let looks = 0;
    const forgetful = noteTask({
      read: (async () => ([4, 6].includes(++looks) ? "hello\n" : "other\n")) as never,
    });

    const { words, last } = await tried(trialOf(forgetful, {}));

    expect(words.at(-1)).toBe("again broken");
    expect(last?.found).toMatch(/changes \/etc\/note: must be "hello\\n", is "other\\n"/);
    expect(last?.mend).toMatch(/`read` finds what `plan` wanted/);
  });

  it("is named with its flights when it looks in two steps", async () => {
    const slow = noteTask({
      read: (async (facts: { file: (path: string) => Promise<string | undefined> }) => {
        await facts.file("/etc/hostname");
        return facts.file("/etc/note");
      }) as never,
    });

    const { last } = await tried(trialOf(slow, {}));

    expect([last?.proof, last?.found]).toEqual(["again", "must look in 1 flight, needs 2"]);
  });

  it("is named with the file that it touched when it was only checked", async () => {
    scratch.prepare = (host) => host.program("find", () => ({ stdout: "/etc/touched\n" }));

    const { last } = await tried(trialOf(file, { path: "/etc/motd", content: "hello\n" }));

    expect([last?.proof, last?.found]).toEqual(["check", "must touch no file, touches /etc/touched"]);
  });

  it("is named with the fact that a look changed", async () => {
    let looks = 0;
    scratch.prepare = (host) => host.program("counter", () => ({ stdout: String(++looks) }));
    const counting = noteTask({
      read: (async (facts: { query: (command: object) => Promise<unknown> }) => {
        await facts.query({ argv: ["counter"] });
        return undefined;
      }) as never,
    });

    const { last } = await tried(trialOf(counting, {}));

    expect([last?.proof, last?.outcome]).toEqual(["check", "broken"]);
    expect(last?.found).toMatch(/^must leave query:.*counter.* as it was, .*"1".*, is .*"2"/);
  });

  it("is named when it does not notice that it is spoiled", async () => {
    const blind = noteTask({ owns: () => ["/etc/note", "/etc/forgotten"] });
    const spoil = () => [write("/etc/forgotten", "spoiled\n")];

    const { last } = await tried(trialOf(blind, {}, { spoil }));

    expect([last?.proof, last?.outcome]).toEqual(["drift", "broken"]);
    expect(last?.found).toMatch(
      /must have something to change when it is spoiled \(write \/etc\/forgotten\), has nothing/,
    );
  });

  it("has to say how it is spoiled when it owns nothing", async () => {
    const silent = noteTask({ owns: () => [] });

    const { last } = await tried(trialOf(silent, {}));

    expect([last?.proof, last?.outcome]).toEqual(["drift", "broken"]);
    expect(last?.mend).toBe('Give the task "note" a `spoil`, or the example a `trial.spoil`');
  });

  it("is named when what spoils it fails", async () => {
    const spoil = () => [program("no-such-program")];

    const { last } = await tried(trialOf(noteTask(), {}, { spoil }));

    expect(last?.found).toMatch(/^`no-such-program` must spoil it, ends with 127/);
  });
});

describe("a trial that cannot be made", () => {
  it("is skipped with its reason, and touches no machine", async () => {
    const { result } = await tried(trialOf(noteTask(), {}, { skip: "it needs a GPU" }));

    expect(result).toMatchObject({ skipped: "it needs a GPU", verdicts: [] });
    expect(scratch.resets()).toBe(0);
  });

  it("is skipped when what it needs cannot be fetched from here", async () => {
    const tool = async () => {
      throw new ProvisionError("DOWNLOAD_FAILED", { name: "go", tried: [] });
    };
    const fetching = noteTask({
      read: (async (facts: { tool: (name: string) => Promise<unknown> }) => facts.tool("go")) as never,
    });

    const { result, words } = await tried(trialOf(fetching, {}), { ...sourcesOf(), tool });

    expect(result.skipped).toMatch(/go/);
    expect(words).not.toContainEqual(expect.stringContaining("broken"));
  });

  it("is broken, not skipped, when what has to be there before does not settle", async () => {
    const given = [useOf(noteTask({ read: (async () => "no\n") as never }), {})];

    const { last } = await tried(trialOf(file, { path: "/etc/motd", content: "hello\n" }, { given }));

    expect([last?.proof, last?.outcome]).toEqual(["check", "broken"]);
    expect(last?.found).toMatch(/^what "an example" needs must settle before it, does not: /);
  });
});
