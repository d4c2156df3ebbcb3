import { describe, expect, it } from "vitest";

import type { Change } from "../../src/provisioner/core/task.ts";
import type { ToolArtifact, ToolPin } from "../../src/provisioner/core/tool-pin.ts";
import { tools } from "../../src/tasks/tools/index.ts";
import { layoutTable, placesOf } from "../../src/tasks/scripts/tool-store/layout-table.ts";
import {
  lookAt,
  nothing,
  type PrefixState,
  readLook,
  type ToolState,
} from "../../src/tasks/scripts/tool-store/look.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { someTool } from "../support/some-tool.ts";
import { complaints, refusal, settle, sourcesOf } from "../support/tasks.ts";

const seeker = someTool("seeker", { version: "2.0" });
const pin = pinOf(seeker);

function pinOf({ pins: { x86_64 } }: typeof seeker): ToolPin {
  if (!x86_64) throw new Error("It is pinned for both");
  return x86_64;
}

function found(state: Partial<ToolState>, more: Partial<PrefixState> = {}): PrefixState {
  return {
    machine: "x86_64",
    leftovers: false,
    tools: new Map([["seeker", { ...nothing, ...state }]]),
    ...more,
  };
}

/** Each action in a word or two. */
function actions(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) =>
    change.actions.map((action) =>
      action.kind === "run"
        ? spoken(action.command.argv)
        : `${action.kind} ${"path" in action && action.path}`,
    ),
  );
}

/** The verb of a script, or its name where it has only one thing to do. */
function spoken([, , , name = "", verb = ""]: readonly string[]): string {
  return name.endsWith("-prepare") ? "prepare" : verb;
}

const params = { names: ["seeker"] };
const current = { there: true, current: pin.id, has: [pin.id] };
const file = `fetch /usr/local/share/provision/store/.incoming/${pin.artifacts[0].sha256}`;
const old = "1.0-0123456789ab";

describe("the plan of tools", () => {
  it.each<[string, Partial<ToolState>, string | undefined, string | undefined, string[]]>([
    ["is absent", {}, undefined, "2.0", ["prepare", file, "install"]],
    [
      "is another version",
      { there: true, current: old, has: [old] },
      "1.0",
      "2.0",
      ["prepare", file, "install"],
    ],
    [
      "is another version, and the wanted one is kept",
      { there: true, current: old, has: [old, pin.id] },
      "1.0",
      "2.0",
      ["switch"],
    ],
    [
      "is the same version of other bytes",
      { there: true, current: "2.0-0123456789ab", has: ["2.0-0123456789ab"] },
      "2.0-0123456789ab",
      pin.id,
      ["prepare", file, "install"],
    ],
    [
      "lacks a program",
      { ...current, damaged: ["bin/seeker"] },
      "2.0, bin/seeker",
      "2.0",
      ["prepare", file, "install"],
    ],
    ["lacks a link", { ...current, broken: ["bin/seeker"] }, "2.0, bin/seeker", "2.0", ["switch"]],
    ["was left in the middle", { ...current, unfinished: true }, "2.0, unfinished", "2.0", ["switch"]],
    ["was not brought into use", { there: true, has: [pin.id] }, undefined, "2.0", ["switch"]],
  ])("brings a tool that %s", (_, state, from, to, wanted) => {
    const plan = tools.plan(params, { wanted: [seeker], found: found(state) });

    expect(plan.map((change) => [change.what, change.from, change.to])).toEqual([["seeker", from, to]]);
    expect(actions(plan)).toEqual(wanted);
  });

  it.each<[string, object, PrefixState, readonly string[]]>([
    ["a tool is as wanted", params, found(current), []],
    ["what must be absent is", { absent: ["seeker"] }, found({}), []],
    ["a tool must be absent", { absent: ["seeker"] }, found(current), ["remove"]],
    ["parts of a tool must be absent", { absent: ["seeker"] }, found({ there: true }), ["remove"]],
    ["a killed run left something", params, found(current, { leftovers: true }), ["tidy"]],
    [
      "what was left is swept anyway",
      params,
      found({ ...current, unfinished: true }, { leftovers: true }),
      ["switch"],
    ],
  ])("does what is needed when %s", (_, given, state, wanted) => {
    const names = "absent" in given ? [] : [seeker];

    expect(actions(tools.plan(given, { wanted: names, found: state }))).toEqual(wanted);
  });

  it("removes first, so that one tool can take the place of another", () => {
    const plan = tools.plan(
      { names: ["seeker"], absent: ["finder"] },
      {
        wanted: [seeker],
        found: {
          ...found({}),
          tools: new Map([["finder", { ...nothing, there: true, current: "1-0123456789ab" }]]),
        },
      },
    );

    expect(plan.map(({ what, from, to }) => [what, from, to])).toEqual([
      ["finder", "1", undefined],
      ["seeker", undefined, "2.0"],
    ]);
  });

  it.each<[string, object, PrefixState, RegExp]>([
    [
      "somebody else's file in the way",
      params,
      found({ foreign: ["bin/seeker"] }),
      /^"\/usr\/local\/bin\/seeker" must be absent or seeker's, is somebody else's; .*replace: true$/,
    ],
    [
      "a place of another tool",
      params,
      found({ taken: [{ path: "bin/seeker", by: "finder" }] }),
      /is of finder and of seeker/,
    ],
    [
      "a machine that nothing is pinned for",
      params,
      found({}, { machine: "riscv64" }),
      /must pin seeker for riscv64, pins it for x86_64 and aarch64/,
    ],
    [
      "a tool that is wanted and not",
      { ...params, absent: ["seeker"] },
      found({}),
      /"seeker" must be in names or in absent, is in both/,
    ],
  ])("refuses %s", (_, given, state, reason) => {
    expect(() => tools.plan(given, { wanted: [seeker], found: state })).toThrow(reason);
  });

  it("refuses two tools of one command", () => {
    const other = someTool("other", { artifact: { binaries: [{ command: "seeker", path: "x" }] } });

    expect(() => tools.plan(params, { wanted: [seeker, other], found: found({}) })).toThrow(
      '"seeker" is a command of seeker and of other; leave one of them out',
    );
  });

  it("lets files of others give way only with replace, and none that it does not want", () => {
    const state = found({ ...current, foreign: ["bin/seeker"] });

    const plan = tools.plan({ ...params, replace: true }, { wanted: [seeker], found: state });

    expect(actions(plan)).toEqual(["switch"]);
    expect(
      tools.plan(params, {
        wanted: [seeker],
        found: found({ current: old, has: [old], foreign: ["share/x"] }),
      }),
    ).toHaveLength(1);
  });

  it("touches units only when a tree goes to the top of the prefix", () => {
    const touches = (artifact: Partial<ToolArtifact>) => {
      const tool = someTool("boxes", { artifact });
      const [change] = tools.plan({ names: ["boxes"] }, { wanted: [tool], found: found({}) });
      const last = change?.actions.at(-1);
      return last?.kind === "run" ? last.touches : undefined;
    };

    expect(touches({})).toEqual(["file", "stat", "digest", "query"]);
    expect(touches({ tree: { to: "boxes", roots: [""] } })).not.toContain("unit");
    expect(touches({ tree: { to: "", roots: [""] } })).toContain("unit");
  });
});

describe("tools", () => {
  it.each([
    [{}, 'must have "names" or "absent"'],
    [{ names: [] }, "names must not be empty"],
    [{ names: ["a", "a"] }, "names"],
    [{ names: ["../x"] }, "names"],
    [{ names: ["go"], prefix: "usr/local" }, "prefix"],
    [{ names: ["go"], version: "1" }, 'is "version"'],
  ])("does not accept %j", (given, reason) => {
    expect(complaints(tools, given).join("\n")).toContain(reason);
  });

  it.each([
    [{ names: ["go", "jq"] }, "go, jq"],
    [{ names: ["go"], absent: ["skim"] }, "go, no skim"],
    [{ name: "languages", names: ["go"], prefix: "/opt/x" }, "languages in /opt/x"],
  ])("tells %j by %j", (given, subject) => {
    expect(tools.subject(given)).toBe(subject);
  });

  it("owns each of its tools in its prefix, so that no two uses decide on one", () => {
    expect(tools.owns?.({ names: ["go"], absent: ["jq"], prefix: "/opt/x" })).toEqual([
      "/opt/x/share/provision/store/go",
      "/opt/x/share/provision/store/jq",
    ]);
  });

  it("cannot be settled where the machine does not let it look", async () => {
    const host = emptyMachine();
    host.program("provision-tools-look", () => ({ code: 2, stderr: "no such luck" }));

    await expect(settle(tools, params, host)).rejects.toMatchObject(
      refusal(/must be readable, is not: no such luck/),
    );
  });

  it("fetches nothing for a plan, and nothing when all is as wanted", async () => {
    const host = emptyMachine();
    let fetched = 0;
    const sources = {
      ...sourcesOf(),
      obtain: (...given: Parameters<ReturnType<typeof sourcesOf>["obtain"]>) => {
        fetched += 1;
        return sourcesOf().obtain(...given);
      },
    };

    await settle(tools, params, host, { check: true, sources });
    const planned = fetched;
    await settle(tools, params, host, { sources });
    const settled = fetched;
    await settle(tools, params, host, { sources });

    expect([planned, settled, fetched]).toEqual([0, 1, 1]);
  });
});

describe("what a machine says of its tools", () => {
  it("is read as it is printed", () => {
    const stdout = [
      "machine aarch64",
      "leftovers",
      "tool go",
      "there",
      "unfinished",
      "has 1.0-a",
      "has 2.0-b",
      "current 1.0-a",
      "broken bin/go",
      "foreign share/a file",
      "taken other bin/x",
      "wanted 7 /usr/local/share/provision/store/go/current/bin/go",
      "wanted 8 /usr/local/share/provision/store/go/current/bin/gofmt",
      "wanted 9 /usr/local/share/provision/store/go/current/bin/gone",
      "damaged bin/dead",
      "tool jq",
      "size 7 /usr/local/share/provision/store/go/current/bin/go",
      "size 0 /usr/local/share/provision/store/go/current/bin/gofmt",
      "",
    ].join("\n");

    const state = readLook({ code: 0, stdout, stderr: "" });

    expect(state).toMatchObject({ machine: "aarch64", leftovers: true });
    expect(state.tools.get("go")).toEqual({
      there: true,
      current: "1.0-a",
      has: ["1.0-a", "2.0-b"],
      unfinished: true,
      broken: ["bin/go"],
      damaged: ["bin/dead", "bin/gofmt", "bin/gone"],
      foreign: ["share/a file"],
      taken: [{ by: "other", path: "bin/x" }],
    });
    expect(state.tools.get("jq")).toEqual(nothing);
  });

  it("is asked for the places that either architecture wants", () => {
    const tool = {
      ...seeker,
      pins: {
        ...seeker.pins,
        aarch64: pinOf(someTool("seeker", { artifact: { binaries: [{ command: "sk", path: "sk" }] } })),
      },
    };

    expect(lookAt("/usr/local", [tool], ["jq"]).stdin).toBe(
      "tool seeker\nplace bin/seeker\nplace bin/sk\ntool jq\n",
    );
  });
});

describe("the layout that a machine is told", () => {
  const table = (artifact: Partial<ToolArtifact>) =>
    layoutTable(pinOf(someTool("seeker", { artifact })))
      .split("\n")
      .slice(1, -1);

  it.each<[string, Partial<ToolArtifact>, string[]]>([
    ["a program in a folder", { binaries: [{ command: "sk", path: "a b/sk" }] }, ["binary sk a b/sk"]],
    ["the program itself", { format: "raw", binaries: [{ command: "sk", path: "" }] }, ["binary sk ."]],
    ["the whole archive at the top", { tree: { to: "", roots: [""] }, binaries: [] }, ["tree .", "root ."]],
    [
      "a tree of its own, with its programs where they will be",
      {
        tree: { to: "opt/x", roots: ["a", "a/b"] },
        binaries: [
          { command: "sk", path: "a/b/sk" },
          { command: "t", path: "c/t" },
        ],
      },
      ["tree opt/x", "root a", "root a/b", "tree-binary sk opt/x/sk", "binary t c/t"],
    ],
    [
      "extras, in which only a star is a pattern",
      { extras: [{ from: "m?n/[x]*.1", to: "man1" }], binaries: [] },
      ["extra man1 m[?]n/[[]x]*.1"],
    ],
    [
      "extras of a tree",
      { tree: { to: "", roots: ["r"] }, extras: [{ from: "r/x.fish", to: "fish" }], binaries: [] },
      ["tree .", "root r", "tree-extra fish x.fish"],
    ],
  ])("is %s", (_, artifact, lines) => {
    expect(table(artifact)).toEqual(lines);
  });

  it.each([
    [{ binaries: [{ command: "sk", path: "a\nroot x" }] }],
    [{ binaries: [{ command: "s k", path: "a" }] }],
    [{ binaries: [{ command: "../sk", path: "a" }] }],
  ])("is none for %j", (artifact) => {
    expect(() => table(artifact)).toThrow(/cannot be installed: .*correct versions.yaml$/);
  });

  it("names each place once", () => {
    expect(placesOf(pin)).toEqual(["bin/seeker"]);
  });
});
