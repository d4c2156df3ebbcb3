import { Type } from "typebox";
import { beforeEach, describe, expect, it } from "vitest";

import { converge, type Summary } from "../../src/provisioner/core/converge.ts";
import { emptyHost } from "../../src/provisioner/core/empty-host.ts";
import type { Host } from "../../src/provisioner/core/host.ts";
import type { Recipe } from "../../src/provisioner/core/recipe.ts";
import { defineTask, differences, Refusal, run as program, write } from "../../src/provisioner/core/task.ts";
import { osReleases } from "../support/os-releases.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { sourcesOf } from "../support/tasks.ts";
import { MapHost } from "./map-host.ts";

const where = { file: "spec.yaml", line: 1, column: 1 };
const osRelease = "file:/etc/os-release";

/** A file, after a look at another one: a read of two steps. */
const pair = defineTask({
  name: "pair",
  summary: "A file for tests.",
  schema: Type.Object({ path: Type.String(), text: Type.String() }),
  examples: [],
  subject: ({ path }) => path,
  async read(facts, { path }) {
    if (path === "/refused") throw new Refusal("never");
    if (path === "/broken") throw new TypeError("a bug");
    await facts.file(`${path}.first`);
    return facts.file(path);
  },
  plan: ({ path, text }, now) =>
    differences({ what: path, from: now, to: text, actions: [write(path, text)] }),
});

/** A setting, by a program that can touch anything. */
const setting = defineTask({
  name: "setting",
  summary: "A setting for tests.",
  schema: Type.Object({ key: Type.String() }),
  examples: [],
  subject: ({ key }) => key,
  read: (facts, { key }) => facts.sysctl(key),
  plan: ({ key }, now) => differences({ what: key, from: now, to: "1", actions: [program("set", key)] }),
});

function use(path: string, text: string, ...distribution: string[]): Recipe[number] {
  return { id: `pair ${path}`, task: pair, params: { path, text }, where, when: { distribution } };
}

const anywhere: Recipe[number] = { id: "setting k", task: setting, params: { key: "k" }, where };

let host: MapHost;

beforeEach(() => {
  host = new MapHost();
  host.files.set("/etc/os-release", osReleases["debian-13"]);
  host.programs = ([, key = ""]) => {
    host.sysctls.set(key, "1");
  };
});

async function go(
  recipe: Recipe,
  { on = host, check = false }: { readonly on?: Host; readonly check?: boolean } = {},
): Promise<{ readonly said: readonly string[]; readonly summary: Summary }> {
  const { run, events } = recordedRun();
  const summary = await converge(recipe, { host: on, run, check, sources: sourcesOf() });
  const said = events.flatMap((event) =>
    event.kind === "use-ended" ? [`${event.use} ${event.outcome}`] : [],
  );
  return { said, summary };
}

describe("a use with `when`", () => {
  it("is settled on a distribution it names, by release or as a whole", async () => {
    const { summary } = await go([use("/a", "x", "debian-13"), use("/b", "x", "ubuntu", "debian")]);

    expect(summary).toMatchObject({ uses: 2, changed: 2 });
    expect([host.files.get("/a"), host.files.get("/b")]).toEqual(["x", "x"]);
  });

  it("plans nothing on another one, and says so", async () => {
    const { said, summary } = await go([use("/a", "x", "debian-12", "ubuntu-24.04")]);

    expect(said).toEqual(["pair /a does-not-apply"]);
    expect(summary).toMatchObject({ uses: 0, changed: 0 });
    expect(host.files.has("/a")).toBe(false);
  });

  it("asks which distribution it is in the flight of its own facts, and then asks nothing more", async () => {
    await go([use("/a", "x", "ubuntu"), use("/b", "x", "ubuntu"), { ...anywhere, params: { key: "k" } }], {
      check: true,
    });

    expect(host.flights.map(({ facts }) => facts)).toEqual([
      [osRelease, "file:/a.first", "file:/b.first", "sysctl:k"],
    ]);
  });

  it("is one flight where it applies and has nothing to do, however often it is meant", async () => {
    host.sysctls.set("k", "1");

    const { said } = await go([{ ...anywhere, when: { distribution: ["debian-13"] } }]);

    expect(said).toEqual(["setting k ok"]);
    expect(host.flights.map(({ facts }) => facts)).toEqual([[osRelease, "sysctl:k"]]);
  });

  it.each(["/refused", "/broken", "/unknown"])(
    "does not care elsewhere that its read fails: %s",
    async (path) => {
      host.unknown.set("file:/unknown.first", "it is odd");

      const { said } = await go([use(path, "x", "ubuntu")]);

      expect(said).toEqual([`pair ${path} does-not-apply`]);
    },
  );

  it("fails as ever where it applies", async () => {
    await expect(go([use("/refused", "x", "debian")])).rejects.toMatchObject({ code: "TASK_REFUSED" });
    await expect(go([use("/broken", "x", "debian")])).rejects.toThrow(TypeError);
  });

  it("never may change behind one that can touch everything", async () => {
    const { said } = await go([anywhere, use("/a", "x", "ubuntu")], { check: true });

    expect(said).toEqual(["setting k would-change", "pair /a does-not-apply"]);
  });

  it("costs no flight more behind one that can touch everything", async () => {
    const plain = new MapHost();
    plain.programs = ([, key = ""]) => {
      plain.sysctls.set(key, "1");
    };
    const { when: _, ...always } = use("/a", "x", "debian");

    await go([anywhere, always], { on: plain });
    const { said } = await go([anywhere, use("/a", "x", "debian")]);

    expect(said).toEqual(["setting k changed", "pair /a changed"]);
    expect(host.flights).toHaveLength(plain.flights.length);
  });

  it("is refused on a machine that does not say what it is", async () => {
    host.files.delete("/etc/os-release");

    await expect(go([use("/a", "x", "debian")])).rejects.toMatchObject({
      code: "TASK_REFUSED",
      message: expect.stringContaining('"/etc/os-release" must say which distribution this is') as string,
    });
  });

  it("fails when that cannot be known", async () => {
    host.unknown.set(osRelease, "it is a directory");

    await expect(go([use("/a", "x", "ubuntu")])).rejects.toMatchObject({ code: "FACT_UNKNOWN" });
  });

  it("is planned for the distribution that an empty machine will have", async () => {
    const recipe = [use("/a", "x", "debian-13"), use("/b", "x", "ubuntu-24.04")];

    const { said } = await go(recipe, { on: emptyHost("ubuntu-24.04"), check: true });

    expect(said).toEqual(["pair /a does-not-apply", "pair /b would-change"]);
  });

  it("may stand beside another use of the same subject", async () => {
    const { summary } = await go([use("/a", "ubuntu", "ubuntu"), use("/a", "debian", "debian")]);

    expect(summary).toMatchObject({ uses: 1, changed: 1 });
    expect(host.files.get("/a")).toBe("debian");
  });
});
