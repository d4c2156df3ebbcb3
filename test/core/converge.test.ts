import { Type } from "typebox";
import { describe, expect, it } from "vitest";

import { converge } from "../../src/provisioner/core/converge.ts";
import type { Event } from "../../src/provisioner/core/events.ts";
import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { HostLost } from "../../src/provisioner/core/host.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import type { Sources } from "../../src/provisioner/core/sources.ts";
import { type Run, startRun } from "../../src/provisioner/core/run.ts";
import {
  defineTask,
  differences,
  type FetchAction,
  run as program,
  write,
  type Task,
} from "../../src/provisioner/core/task.ts";
import { someDriver } from "../support/some-driver.ts";
import { someRepository } from "../support/some-repository.ts";
import { someTool } from "../support/some-tool.ts";
import { MapHost } from "./map-host.ts";

const where = { file: "spec.yaml", line: 1, column: 1 };

/** Keeps a file; `from` is another file whose content it copies. */
const note = defineTask({
  name: "note",
  summary: "A file for tests.",
  schema: Type.Object({
    path: Type.String(),
    text: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
  }),
  examples: [],
  subject: ({ path }) => path,
  async read(facts, { path, from }) {
    const [now, other] = await Promise.all([
      facts.file(path),
      from === undefined ? undefined : facts.file(from),
    ]);
    return { now, other };
  },
  plan: ({ path, text, from }, { now, other }) => {
    const wanted = from === undefined ? text : other;
    return wanted === undefined
      ? []
      : differences({ what: path, from: now, to: wanted, actions: [write(path, wanted)] });
  },
});

/** A kernel setting, set by a program that can touch anything. */
const setting = defineTask({
  name: "setting",
  summary: "A setting for tests.",
  schema: Type.Object({ key: Type.String(), value: Type.String() }),
  examples: [],
  subject: ({ key }) => key,
  read: (facts, { key }) => facts.sysctl(key),
  plan: ({ key, value }, now) =>
    differences({ what: key, from: now, to: value, actions: [program("set", key, value)] }),
});

function use(task: Task, params: Record<string, string>): Recipe[number] {
  return { id: `${task.name} ${params["path"] ?? params["key"]}`, task, params, where };
}

function settingsOf(host: MapHost): void {
  host.programs = ([, key = "", value = ""]) => {
    host.sysctls.set(key, value);
  };
}

const noSources: Sources = {
  source: async () => Promise.reject(new Error("none")),
  text: async () => "",
  template: () => "",
  tool: async (name) => someTool(name),
  repository: async (name) => someRepository(name),
  obtainKey: async ({ path }) => ({ kind: "write", path, text: "key" }),
  driver: async (name) => someDriver(name),
  secret: async () => "none",
  obtain: async ({ path, file }) => ({
    kind: "upload",
    path,
    source: { path: file.name, sha256: file.sha256, size: 1 },
  }),
};

async function go(
  host: MapHost,
  recipe: Recipe,
  options: { check?: boolean; events?: Event[]; sources?: Sources } = {},
) {
  const run = startRun({
    signal: new AbortController().signal,
    now: () => 0,
    report: (event) => options.events?.push(event),
  });
  const { sources = noSources } = options;
  return converge(recipe, { host, run, check: options.check ?? false, sources });
}

function outcomes(events: readonly Event[]): string[] {
  return events.flatMap((event) => (event.kind === "use-ended" ? [`${event.use} ${event.outcome}`] : []));
}

/** Bytes that have to be fetched, and a program that they are for. */
const gadget = defineTask({
  name: "gadget",
  summary: "A gadget for tests.",
  schema: Type.Object({ name: Type.String() }),
  examples: [],
  subject: ({ name }) => name,
  read: async (facts, { name }) => ({
    now: await facts.file(`/store/${name}`),
    file: (await facts.tool(name)).pins.x86_64?.artifacts[0],
  }),
  plan: ({ name }, { now, file }) =>
    now === undefined && file
      ? [{ what: name, from: now, to: "there", actions: [{ kind: "fetch", path: `/store/${name}`, file }] }]
      : [],
});

function gadgetUse(name: string): Recipe[number] {
  return { id: `gadget ${name}`, task: gadget, params: { name }, where };
}

describe("what has to be fetched", () => {
  function sourcesThatNote(obtained: string[], refuse?: string) {
    return {
      ...noSources,
      async obtain(action: FetchAction, run: Run) {
        obtained.push(action.path);
        if (action.path === refuse) throw new ProvisionError("DOWNLOAD_FAILED", { name: "x", tried: [] });
        return noSources.obtain(action, run);
      },
    };
  }

  it("is fetched for the flight that carries it alone, not for a plan and not twice", async () => {
    const host = new MapHost();
    const obtained: string[] = [];
    const sources = sourcesThatNote(obtained);

    await go(host, [gadgetUse("a")], { check: true, sources });
    const forPlan = [...obtained];
    await go(host, [gadgetUse("a")], { sources });
    await go(host, [gadgetUse("a")], { sources });

    expect([forPlan, obtained]).toEqual([[], ["/store/a"]]);
    expect(host.flights.map(({ orders }) => orders)).toContainEqual(["upload /store/a"]);
  });

  it("fails its use when it is not to be had: nothing is sent, and what comes after is skipped", async () => {
    const host = new MapHost();
    const events: Event[] = [];

    const failed = go(host, [gadgetUse("a"), gadgetUse("b")], {
      events,
      sources: sourcesThatNote([], "/store/a"),
    });

    await expect(failed).rejects.toMatchObject({ code: "DOWNLOAD_FAILED", where });
    expect(outcomes(events)).toEqual(["gadget a failed", "gadget b skipped"]);
    expect(host.flights.flatMap(({ orders }) => orders)).toEqual([]);
  });
});

describe("converge", () => {
  it("costs one flight when there is nothing to do, however many the uses", async () => {
    const host = new MapHost();
    const recipe = Array.from({ length: 50 }, (_, n) => use(note, { path: `/n${n}`, text: "x" }));
    for (const { params } of recipe) host.files.set((params as { path: string }).path, "x");

    const summary = await go(host, recipe);

    expect(summary).toMatchObject({ changed: 0, flights: 1, facts: 50 });
  });

  it("asks for a fact once when several uses want it", async () => {
    const host = new MapHost();
    host.files.set("/a", "x");
    host.files.set("/b", "x");
    host.files.set("/c", "x");

    await go(host, [use(note, { path: "/b", from: "/a" }), use(note, { path: "/c", from: "/a" })]);

    expect(host.flights).toEqual([{ orders: [], facts: ["file:/b", "file:/a", "file:/c"] }]);
  });

  it("sends changes that cannot touch each other in one flight, then proves them", async () => {
    const host = new MapHost();
    const recipe = ["/a", "/b", "/c"].map((path) => use(note, { path, text: "x" }));

    const summary = await go(host, recipe);

    expect(host.flights.map(({ orders }) => orders)).toEqual([[], ["write /a", "write /b", "write /c"], []]);
    expect(summary).toMatchObject({ changed: 3, flights: 3 });
  });

  it("plans a use afresh when an earlier one changed what it reads", async () => {
    const host = new MapHost();
    host.files.set("/copy", "old");
    host.files.set("/source", "old");

    await go(host, [
      use(note, { path: "/source", text: "new" }),
      use(note, { path: "/copy", from: "/source" }),
    ]);

    expect(host.files.get("/copy")).toBe("new");
  });

  it("reads what follows again after a program, in the same flight", async () => {
    const host = new MapHost();
    host.programs = () => {
      host.sysctls.set("vm.a", "1");
      host.files.set("/made-by-program", "by program");
    };
    const recipe = [
      use(setting, { key: "vm.a", value: "1" }),
      use(note, { path: "/made-by-program", text: "ours" }),
      use(note, { path: "/later", text: "x" }),
    ];

    await go(host, recipe);

    expect(host.files.get("/made-by-program")).toBe("ours");
    expect(host.flights[1]).toEqual({
      orders: ["run set vm.a 1"],
      facts: ["file:/made-by-program", "file:/later"],
    });
  });

  it("needs one flight from one program to the next, with all that lies between", async () => {
    const host = new MapHost();
    settingsOf(host);
    const recipe = [
      use(setting, { key: "vm.a", value: "1" }),
      ...["/a", "/b", "/c"].map((path) => use(note, { path, text: "x" })),
      use(setting, { key: "vm.b", value: "1" }),
      use(note, { path: "/d", text: "x" }),
    ];

    await go(host, recipe);

    expect(host.flights.map(({ orders }) => orders)).toEqual([
      [],
      ["run set vm.a 1"],
      ["write /a", "write /b", "write /c", "run set vm.b 1"],
      ["write /d"],
      [],
    ]);
  });

  it("leaves alone what an earlier use's program has brought about", async () => {
    const host = new MapHost();
    host.programs = () => {
      host.sysctls.set("vm.a", "1");
      host.files.set("/a", "x");
    };
    const events: Event[] = [];

    await go(host, [use(setting, { key: "vm.a", value: "1" }), use(note, { path: "/a", text: "x" })], {
      events,
    });

    expect(outcomes(events)).toEqual(["setting vm.a changed", "note /a ok"]);
  });

  it("keeps the order of the spec", async () => {
    const host = new MapHost();
    settingsOf(host);
    const recipe = [
      use(note, { path: "/a", text: "x" }),
      use(setting, { key: "vm.a", value: "1" }),
      use(note, { path: "/b", text: "x" }),
    ];

    await go(host, recipe);

    expect(host.flights.flatMap(({ orders }) => orders)).toEqual(["write /a", "run set vm.a 1", "write /b"]);
  });

  it("stops what follows when a use fails, and names the place in the spec", async () => {
    const host = new MapHost();
    host.programs = () => 7;
    const events: Event[] = [];
    const recipe = [
      use(note, { path: "/a", text: "x" }),
      use(setting, { key: "vm.a", value: "1" }),
      use(note, { path: "/b", text: "x" }),
    ];

    await expect(go(host, recipe, { events })).rejects.toMatchObject({
      code: "ACTION_FAILED",
      exitCode: 5,
      where,
    });

    expect(outcomes(events)).toEqual(["note /a changed", "setting vm.a failed", "note /b skipped"]);
    expect(host.files.has("/b")).toBe(false);
  });

  it("gives what is not settled one more round, then says what was wanted and what is", async () => {
    const host = new MapHost();
    let times = 0;
    host.programs = () => {
      times += 1;
    };

    await expect(go(host, [use(setting, { key: "vm.a", value: "1" })])).rejects.toMatchObject({
      code: "TASK_NOT_SETTLED",
      exitCode: 6,
      facts: { what: "vm.a", wanted: '"1"', got: "absent" },
    });

    expect(times).toBe(2);
  });

  it("settles in the second round what the first undid", async () => {
    const host = new MapHost();
    let first = true;
    host.programs = ([, key = "", value = ""]) => {
      host.sysctls.set(key, value);
      if (first) host.files.delete("/a");
      first = false;
    };

    const summary = await go(host, [
      use(note, { path: "/a", text: "x" }),
      use(setting, { key: "vm.a", value: "1" }),
    ]);

    expect(host.files.get("/a")).toBe("x");
    expect(summary.changed).toBe(2);
  });

  it("refuses to write over what somebody else changed since it was read", async () => {
    const host = new MapHost();
    host.files.set("/a", "old");
    host.before = (flight) => {
      if (flight === 1) host.files.set("/a", "somebody's");
    };

    await expect(go(host, [use(note, { path: "/a", text: "x" })])).rejects.toMatchObject({
      code: "CHANGED_UNDERNEATH",
    });

    expect(host.files.get("/a")).toBe("somebody's");
  });
});

describe("converge with facts that cannot be known", () => {
  it("waits for the use that provides them", async () => {
    const host = new MapHost();
    host.unknown.set("file:/b", "not mounted");
    host.programs = ([, key = "", value = ""]) => {
      host.sysctls.set(key, value);
      host.unknown.clear();
    };

    await go(host, [use(setting, { key: "vm.a", value: "1" }), use(note, { path: "/b", text: "x" })]);

    expect(host.files.get("/b")).toBe("x");
  });

  it("fails with the reason when nobody provides them", async () => {
    const host = new MapHost();
    host.unknown.set("file:/b", "not mounted");

    await expect(go(host, [use(note, { path: "/b", text: "x" })])).rejects.toMatchObject({
      code: "FACT_UNKNOWN",
      message: expect.stringContaining("not mounted") as string,
    });
  });
});

describe("converge with --check", () => {
  it("changes nothing and tells what it would do, what may change, and what is as wanted", async () => {
    const host = new MapHost();
    host.sysctls.set("vm.b", "2");
    host.files.set("/same", "x");
    const events: Event[] = [];
    const recipe = [
      use(note, { path: "/same", text: "x" }),
      use(note, { path: "/new", text: "x" }),
      use(setting, { key: "vm.b", value: "2" }),
      use(setting, { key: "vm.a", value: "1" }),
      use(note, { path: "/behind", from: "/same" }),
    ];
    host.files.set("/behind", "x");

    const summary = await go(host, recipe, { check: true, events });

    expect(outcomes(events)).toEqual([
      "note /same ok",
      "note /new would-change",
      "setting vm.b ok",
      "setting vm.a would-change",
      "note /behind may-change",
    ]);
    expect(summary).toMatchObject({ changed: 2, mayChange: 1, flights: 1 });
    expect(host.flights.flatMap(({ orders }) => orders)).toEqual([]);
  });
});

describe("converge over a connection that breaks", () => {
  it("asks again when it breaks while reading", async () => {
    const host = new MapHost();
    host.files.set("/a", "x");
    host.before = (flight) => {
      if (flight === 0) throw new HostLost("cut");
    };

    const summary = await go(host, [use(note, { path: "/a", text: "x" })]);

    expect(summary.changed).toBe(0);
    expect(host.reconnects).toBe(1);
  });

  it("does not repeat an order that went through although its answer was lost", async () => {
    const host = new MapHost();
    let times = 0;
    host.programs = ([, key = "", value = ""]) => {
      times += 1;
      host.sysctls.set(key, value);
    };
    host.loseAnswerOf = 1;
    const events: Event[] = [];

    const summary = await go(host, [use(setting, { key: "vm.a", value: "1" })], { events });

    expect(times).toBe(1);
    expect(summary.changed).toBe(1);
    expect(outcomes(events)).toEqual(["setting vm.a changed"]);
  });

  it("reads everything again when the machine was booted anew meanwhile, and does again what that undid", async () => {
    const host = new MapHost();
    host.programs = ([, key = "", value = ""]) => void host.sysctls.set(key, value);
    host.loseAnswerOf = 2;
    host.away = () => {
      host.sysctls.clear();
      return true;
    };
    const events: Event[] = [];
    const uses = [
      use(setting, { key: "vm.a", value: "1" }),
      use(setting, { key: "vm.b", value: "2" }),
      use(note, { path: "/c", text: "3" }),
    ];

    await go(host, uses, { events });

    expect(Object.fromEntries(host.sysctls)).toEqual({ "vm.a": "1", "vm.b": "2" });
    expect(host.files.get("/c")).toBe("3");
    expect(events).toContainEqual({
      kind: "note",
      level: "warning",
      text: "test@map rebooted underneath; everything is read again",
    });
  });

  it("gives up what cuts the line whenever it is done, although all else goes through", async () => {
    const host = new MapHost();
    let times = 0;
    host.programs = () => {
      times += 1;
      throw new HostLost("cut");
    };

    await expect(go(host, [use(setting, { key: "vm.a", value: "1" })])).rejects.toMatchObject({
      code: "HOST_LOST",
    });

    expect(times).toBe(4);
  });

  it("gives up after losses on end", async () => {
    const host = new MapHost();
    host.before = () => {
      throw new HostLost("cut");
    };

    await expect(go(host, [use(note, { path: "/a", text: "x" })])).rejects.toMatchObject({
      code: "HOST_LOST",
      exitCode: 4,
    });
  });
});
