import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { changeLines } from "../../src/provisioner/cli/render/change.ts";
import { errorLines } from "../../src/provisioner/cli/render/error.ts";
import { lineWriter } from "../../src/provisioner/cli/render/lines.ts";
import { chooseStyle } from "../../src/provisioner/cli/render/style.ts";
import { visibleLine, visibleText } from "../../src/provisioner/cli/render/visible-text.ts";
import { duration } from "../../src/provisioner/cli/render/words.ts";
import type { Change } from "../../src/provisioner/core/task.ts";

const plain = chooseStyle({ isTTY: false }, {}, true);
const painted = chooseStyle({ isTTY: true }, {}, true);

function change(from: string | undefined, to: string | undefined): Change {
  return { what: "/etc/x", from, to, actions: [{ kind: "write", path: "/etc/x", text: to ?? "" }] };
}

describe("changeLines", () => {
  it.each([
    [change("0", "1"), "/etc/x: 0 -> 1"],
    [change(undefined, "1"), "/etc/x: absent -> 1"],
    [change("", undefined), '/etc/x: "" -> absent'],
    [change(undefined, "a\nb\n"), "/etc/x: new, 2 lines"],
    [change("a\n", undefined), "/etc/x: removed, 1 line"],
    [change("a\nb\n", "a\nc\nd\n"), "/etc/x: 2 added, 1 removed lines"],
    [change("x", "\u001B[2Jy"), "/etc/x: x -> y"],
  ])("says a change in a line without --diff: %#", (given, line) => {
    expect(changeLines(given, plain, { diff: false })).toEqual([line]);
  });

  it("shows texts as a unified diff with --diff", () => {
    const lines = changeLines(change("a\nb\n", "a\nc\n"), plain, { diff: true });

    expect(lines).toEqual(["--- /etc/x", "+++ /etc/x", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]);
  });

  it("compares a new file with nothing and paints what comes and goes", () => {
    const lines = changeLines(change(undefined, "a\nb\n"), painted, { diff: true });

    expect(lines).toContain(painted.bold("--- /dev/null"));
    expect(lines).toContain(painted.green("+b"));
  });

  it("cuts a long diff and says how much is missing", () => {
    const text = Array.from({ length: 300 }, (_, index) => `${index}\n`).join("");

    const lines = changeLines(change(undefined, text), plain, { diff: true, longest: 10 });

    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe("... 293 more lines in the log");
  });
});

describe("visibleText", () => {
  it("takes colours, titles and cursor moves out and leaves the words", () => {
    const foreign = "\u001B[31mred\u001B[0m \u001B]0;title\u0007ok\r\n\u009B2Jnext\u202Etxt\u0000";

    expect(visibleText(foreign)).toBe("red ok\nnexttxt");
  });

  it("never lets a control character through", () => {
    assert(
      property(string({ unit: "binary", maxLength: 200 }), (text) => {
        // eslint-disable-next-line no-control-regex
        expect(visibleText(text)).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/);
        expect(visibleLine(text, 50).length).toBeLessThanOrEqual(50);
        expect(visibleLine(text)).not.toContain("\n");
      }),
    );
  });
});

describe("errorLines", () => {
  it("shows code, place, what and mend", () => {
    const lines = errorLines(
      {
        kind: "error",
        code: "SPEC_INVALID",
        message: "Cannot accept tasks[3].sysctl.key: must be text, is 5",
        mend: "Correct the spec; `provision tasks sysctl` shows what it takes",
        where: { file: "specs/base.yaml", line: 12, column: 9 },
      },
      plain,
    );

    expect(lines.join("\n")).toBe(
      `error SPEC_INVALID  specs/base.yaml:12:9
  Cannot accept tasks[3].sysctl.key: must be text, is 5
  mend: Correct the spec; \`provision tasks sysctl\` shows what it takes`,
    );
  });

  it("gives each of several complaints its place", () => {
    const where = { file: "a.yaml", line: 1, column: 2 };
    const complaints = [
      { where, what: "Cannot x" },
      { where: { ...where, line: 3 }, what: "Cannot y" },
    ];

    const lines = errorLines(
      { kind: "error", code: "SPEC_INVALID", message: "", mend: "Do z", complaints },
      plain,
    );

    expect(lines).toEqual([
      "error SPEC_INVALID  2 complaints",
      "  a.yaml:1:2  Cannot x",
      "  a.yaml:3:2  Cannot y",
      "  mend: Do z",
    ]);
  });

  it("cleans what a machine printed", () => {
    const lines = errorLines(
      { kind: "error", code: "X", message: "no\u001B[2J\nway\u0007", mend: "Do" },
      plain,
    );

    expect(lines).toEqual(["error X", "  no", "  way", "  mend: Do"]);
  });
});

function writer(verbose: boolean, times: number[] = []) {
  return lineWriter({ style: plain, diff: false, verbose, now: () => times.shift() ?? 0 });
}

describe("lineWriter", () => {
  it("indents steps below the step they belong to", () => {
    const { lines } = writer(false);

    expect([
      ...lines({ kind: "step-started", step: 1, parent: undefined, title: "Build" }),
      ...lines({ kind: "step-started", step: 2, parent: 1, title: "Boot" }),
      ...lines({ kind: "step-ended", step: 2, ending: "done", ms: 61_000, result: "192.168.122.7" }),
      ...lines({ kind: "step-ended", step: 1, ending: "failed", ms: 2000 }),
    ]).toEqual(["Build", "  Boot", "  Boot: done, 1 min 1 s, 192.168.122.7", "Build: failed, 2.0 s"]);
  });

  it("says whose a line is while several outermost steps are open", () => {
    const { lines } = writer(false);

    expect([
      ...lines({ kind: "step-started", step: 1, parent: undefined, title: "host01" }),
      ...lines({ kind: "step-started", step: 2, parent: undefined, title: "host02" }),
      ...lines({ kind: "step-started", step: 3, parent: 1, title: "Boot" }),
      ...lines({ kind: "step-ended", step: 2, ending: "failed", ms: 1000 }),
      ...lines({ kind: "step-ended", step: 3, ending: "done", ms: 1000 }),
    ]).toEqual(["host01", "host02", "  host01: Boot", "host02: failed, 1.0 s", "  Boot: done, 1.0 s"]);
  });

  it("says a use that is fine only with --verbose", () => {
    const event = {
      kind: "use-ended",
      step: 0,
      use: "apt curl",
      outcome: "ok",
      changes: [],
      ms: 20,
    } as const;

    expect(writer(false).lines(event)).toEqual([]);
    expect(writer(true).lines(event)).toEqual(["  ok apt curl (0.0 s)"]);
  });

  it("says a use for another distribution only with --verbose", () => {
    const event = {
      kind: "use-ended",
      step: 0,
      use: "apt curl",
      outcome: "does-not-apply",
      changes: [],
      ms: 0,
    } as const;

    expect(writer(false).lines(event)).toEqual([]);
    expect(writer(true).lines(event)).toEqual(["  does not apply apt curl (0.0 s)"]);
  });

  it("names the use that another waits for", () => {
    const event = {
      kind: "use-ended",
      step: 0,
      use: "file /etc/x",
      outcome: "may-change",
      changes: [],
      after: "apt curl",
      ms: 0,
    } as const;

    expect(writer(false).lines(event)).toEqual(["  may change file /etc/x after apt curl"]);
  });

  it("shows every action with --verbose", () => {
    const event = {
      kind: "use-ended",
      step: 0,
      use: "file /etc/x",
      outcome: "changed",
      changes: [change("a", "b")],
      ms: 5,
    } as const;

    expect(writer(true).lines(event)).toEqual([
      "  changed file /etc/x (0.0 s)",
      "    /etc/x: a -> b",
      "    do write /etc/x",
    ]);
  });

  it("says what a step is at once in ten seconds, not with every package", () => {
    const { lines } = writer(false, [0, 5000, 10_000, 10_000, 12_000]);
    const at = (text: string) => lines({ kind: "step-progress", step: 1, text, fraction: 0.5 });
    lines({ kind: "step-started", step: 1, parent: undefined, title: "Download" });

    expect([at("a"), at("b"), at("c")]).toEqual([[], ["  b (50 %)"], []]);
  });
});

describe("chooseStyle", () => {
  it.each([
    [true, {}, true, true],
    [false, {}, true, false],
    [true, {}, false, false],
    [true, { NO_COLOR: "1" }, true, false],
    [true, { NO_COLOR: "" }, true, true],
    [true, { TERM: "dumb" }, true, false],
    [false, { FORCE_COLOR: "1" }, true, true],
    [false, { FORCE_COLOR: "1" }, false, false],
  ])("terminal %s, environment %j, flag %s: colours %s", (isTTY, env, flag, expected) => {
    expect(chooseStyle({ isTTY }, env, flag).isColorSupported).toBe(expected);
  });
});

describe("duration", () => {
  it.each([
    [0, "0.0 s"],
    [340, "0.3 s"],
    [9949, "9.9 s"],
    [41_200, "41 s"],
    [59_700, "1 min 0 s"],
    [125_000, "2 min 5 s"],
  ])("%d ms is %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});
