import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Type } from "typebox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { defineTask } from "../../src/provisioner/core/task.ts";
import { nameFormat, sourceFormat } from "../../src/provisioner/spec/formats.ts";
import { loadImageSpec } from "../../src/provisioner/spec/image-spec.ts";
import type { LoadedSpec } from "../../src/provisioner/spec/image-spec.ts";
import { findSpec } from "../../src/provisioner/spec/read-spec-files.ts";

let specs: string;

beforeEach(async () => {
  specs = await mkdtemp(join(tmpdir(), "provision-specs-"));
});

afterEach(() => rm(specs, { recursive: true }));

const mark = defineTask({
  name: "mark",
  summary: "A mark.",
  schema: Type.Object(
    {
      name: Type.String({ description: "Its name" }),
      source: Type.Optional(Type.String({ format: "source", description: "A file" })),
    },
    { additionalProperties: false },
  ),
  examples: [],
  subject: ({ name }) => name,
  owns: ({ name }) => [`/marks/${name}`],
  read: async () => undefined,
  plan: () => [],
});

const pathTask = defineTask({
  name: "path",
  summary: "A path.",
  schema: Type.Object({ path: Type.String({ description: "Where" }) }, { additionalProperties: false }),
  examples: [],
  subject: (params) => params.path,
  owns: (params) => [params.path],
  read: async () => undefined,
  plan: () => [],
});

async function load(name: string, files: Readonly<Record<string, string>>): Promise<LoadedSpec> {
  for (const [file, text] of Object.entries(files)) await writeFile(join(specs, file), text);
  return loadImageSpec(await findSpec(name, specs), {
    tasks: [mark, pathTask],
    formats: (sourceDirs) => ({
      base: nameFormat("base", ["debian-12", "debian-13"]),
      source: sourceFormat(sourceDirs),
    }),
    show: (path) => basename(path),
  });
}

async function complaints(name: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const error: unknown = await load(name, files).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "SPEC_INVALID", exitCode: 2 });
  return (error as ProvisionError<"SPEC_INVALID">).facts.complaints.map(
    ({ where, what }) => `${where.file}:${where.line}:${where.column} ${what}`,
  );
}

describe("loadImageSpec", () => {
  it("gives the uses in order, with their places and defaults", async () => {
    const loaded = await load("web", {
      "web.yaml": "base: debian-13\ntasks:\n  - mark: {name: a}\n    note: why\n  - mark: {name: b}\n",
    });

    expect(loaded.spec).toEqual({
      name: "web",
      description: undefined,
      base: "debian-13",
      disk: { sizeGiB: 8, needs: [] },
      builder: { cpus: 2, memoryMiB: 2048 },
      variables: {},
    });
    expect(loaded.recipe).toMatchObject([
      { id: "mark a", params: { name: "a" }, where: { file: "web.yaml", line: 3, column: 5 } },
      { id: "mark b", params: { name: "b" }, where: { line: 5, column: 5 } },
    ]);
  });

  it("runs what is included first, and a spec that is reached twice once", async () => {
    const loaded = await load("full", {
      "root.yaml": "base: debian-13\nvariables: {x: root, y: root}\ntasks:\n  - mark: {name: root}\n",
      "left.yaml": "includes: [root]\ndisk: {sizeGiB: 20}\ntasks:\n  - mark: {name: left}\n",
      "right.yaml": "includes: [root]\nbuilder: {memoryMiB: 4096}\ntasks:\n  - mark: {name: right}\n",
      "full.yaml": "includes: [left, right]\nvariables: {y: full}\ntasks:\n  - mark: {name: full}\n",
    });

    expect(loaded.recipe.map(({ id }) => id)).toEqual(["mark root", "mark left", "mark right", "mark full"]);
    expect(loaded.files.map(({ name }) => name)).toEqual(["root", "left", "right", "full"]);
    expect(loaded.spec).toMatchObject({
      name: "full",
      base: "debian-13",
      disk: { sizeGiB: 20 },
      builder: { cpus: 2, memoryMiB: 4096 },
      variables: { x: "root", y: "full" },
    });
  });

  it("takes the most room that an included spec asks for, unless the spec itself says how much", async () => {
    const files = {
      "low.yaml": "base: debian-13\ndisk: {rootGiB: 9, stateGiB: 3}\n",
      "mid.yaml": "includes: [low]\ndisk:\n  rootGiB: 7\n  sizeGiB: 30\n",
      "top.yaml": "includes: [mid]\n",
      "own.yaml": "includes: [mid]\ndisk: {rootGiB: 5}\n",
    };

    expect((await load("top", files)).spec.disk).toEqual({
      sizeGiB: 30,
      needs: [
        { part: "root", gib: 9, where: { file: "low.yaml", line: 2, column: 17 } },
        { part: "state", gib: 3, where: { file: "low.yaml", line: 2, column: 30 } },
      ],
    });
    expect((await load("own", files)).spec.disk.needs).toMatchObject([
      { part: "root", gib: 5, where: { file: "own.yaml", line: 2 } },
      { part: "state", gib: 3 },
    ]);
    expect(await complaints("none", { "none.yaml": "base: debian-13\ndisk: {}\n" })).toEqual([
      "none.yaml:2:7 Cannot accept disk: must not be empty, is a mapping",
    ]);
  });

  it("refuses a cycle and shows how it comes back", async () => {
    expect(
      await complaints("a", {
        "a.yaml": "base: debian-13\nincludes: [b]\n",
        "b.yaml": "includes:\n  - c\n",
        "c.yaml": "includes: [b]\n",
      }),
    ).toEqual([
      'c.yaml:1:12 Cannot include "b": includes must not come back to where they start, are b (b.yaml:2:5) -> c (c.yaml:1:12) -> b',
    ]);
  });

  it("names both places of two uses of one subject, across files", async () => {
    expect(
      await complaints("top", {
        "low.yaml": "base: debian-13\ntasks:\n  - mark: {name: a}\n",
        "top.yaml": "includes: [low]\ntasks:\n  - mark: {name: a}\n",
      }),
    ).toEqual(["top.yaml:3:5 Cannot use mark a twice: must be used once, is used at low.yaml:3:5 too"]);
  });

  it("names both places of two tasks that own one path, and of each path but once", async () => {
    expect(
      await complaints("top", {
        "low.yaml": "base: debian-13\ntasks:\n  - mark: {name: a}\n  - path: {path: /marks/b}\n",
        "top.yaml": "includes: [low]\ntasks:\n  - path: {path: /marks/a}\n  - path: {path: /marks/b}\n",
      }),
    ).toEqual([
      'top.yaml:3:5 Cannot use path /marks/a: "/marks/a" must be one use\'s alone, is that of mark a at low.yaml:3:5 too',
      "top.yaml:4:5 Cannot use path /marks/b twice: must be used once, is used at low.yaml:4:5 too",
    ]);
  });

  it("takes two uses of one subject, or of one path, for distributions that no machine has both of", async () => {
    const { recipe } = await load("top", {
      "low.yaml": "base: debian-13\ntasks:\n  - mark: {name: a}\n    when: {distribution: [debian-13]}\n",
      "top.yaml":
        "includes: [low]\ntasks:\n  - mark: {name: a}\n    when: {distribution: [ubuntu, debian-12]}\n    note: why\n" +
        "  - path: {path: /marks/b}\n    when: {distribution: [debian]}\n  - mark: {name: b}\n    when: {distribution: [ubuntu-24.04]}\n",
    });

    expect(recipe.map(({ id, when }) => [id, when?.distribution])).toEqual([
      ["mark a", ["debian-13"]],
      ["mark a", ["ubuntu", "debian-12"]],
      ["path /marks/b", ["debian"]],
      ["mark b", ["ubuntu-24.04"]],
    ]);
  });

  it("names both places of two uses of one subject, or of one path, that meet on some machine", async () => {
    expect(
      await complaints("top", {
        "low.yaml":
          "base: debian-13\ntasks:\n  - mark: {name: a}\n    when: {distribution: [debian-13]}\n  - mark: {name: b}\n  - mark: {name: c}\n    when: {distribution: [ubuntu]}\n",
        "top.yaml":
          "includes: [low]\ntasks:\n  - mark: {name: a}\n    when: {distribution: [debian]}\n  - mark: {name: b}\n    when: {distribution: [debian-12]}\n" +
          "  - path: {path: /marks/c}\n    when: {distribution: [ubuntu-24.04]}\n",
      }),
    ).toEqual([
      "top.yaml:3:5 Cannot use mark a twice: must be used once, is used at low.yaml:3:5 too",
      "top.yaml:5:5 Cannot use mark b twice: must be used once, is used at low.yaml:5:5 too",
      'top.yaml:7:5 Cannot use path /marks/c: "/marks/c" must be one use\'s alone, is that of mark c at low.yaml:6:5 too',
    ]);
  });

  it("points at what is wrong with a condition, and names the nearest", async () => {
    const text = [
      "base: debian-13",
      "tasks:",
      "  - mark: {name: a}",
      "    when: {distribution: [debian-31]}",
      "  - mark: {name: b}",
      "    when: {distribution: []}",
      "  - mark: {name: c}",
      "    when: {distributoin: [debian]}",
      "  - mark: {name: d}",
      "    when: debian",
      "  - mark: {name: e}",
      "    whne: {distribution: [debian]}",
      "  - when: {distribution: [debian]}",
      "",
    ].join("\n");

    expect(await complaints("web", { "web.yaml": text })).toEqual([
      'web.yaml:4:27 Cannot accept tasks[0].when.distribution[0]: must be "debian", "debian-12", "debian-13", "ubuntu" or "ubuntu-24.04" (nearest: "debian-13"), is "debian-31"',
      "web.yaml:6:26 Cannot accept tasks[1].when.distribution: must not be empty, is a list",
      'web.yaml:8:5 Cannot accept tasks[2].when: must have "distribution", has "distributoin"',
      'web.yaml:8:12 Cannot accept tasks[2].when.distributoin: must be "distribution", is "distributoin"',
      'web.yaml:10:11 Cannot accept tasks[3].when: must be a mapping, is "debian"',
      'web.yaml:12:5 Cannot accept tasks[4].whne: must be a task (nearest: "when"), is "whne"',
      "web.yaml:13:5 Cannot accept tasks[5]: must have one task, has none",
    ]);
  });

  it("says everything that is wrong in all files at once", async () => {
    const found = await complaints("top", {
      "low.yaml": "base: debian-31\ntasks:\n  - mark: {nmae: a}\n",
      "odd.yaml": "tasks:\n\t- mark\n",
      "top.yaml":
        "includes: [low, odd, lwo]\ndsik: {}\ntasks:\n  - mrak: {name: a}\n  - mark: {name: b}\n    mark2: {}\n  - note: only\n  - text\n",
    });

    expect(found).toEqual([
      expect.stringContaining("odd.yaml:2:1 Cannot read YAML: indentation must be spaces"),
      expect.stringContaining(
        'top.yaml:1:22 Cannot include "lwo": must be a spec of its folder (nearest: "low")',
      ),
      'low.yaml:1:7 Cannot accept base: must be a base (nearest: "debian-13"), is "debian-31"',
      'top.yaml:2:1 Cannot accept dsik: must be "disk", is "dsik"',
      'top.yaml:8:5 Cannot accept tasks[3]: must be a mapping, is "text"',
      'low.yaml:3:5 Cannot accept tasks[0].mark: must have "name", has "nmae"',
      'low.yaml:3:12 Cannot accept tasks[0].mark.nmae: must be "name", is "nmae"',
      'top.yaml:4:5 Cannot accept tasks[0].mrak: must be a task (nearest: "mark"), is "mrak"',
      'top.yaml:6:5 Cannot accept tasks[1].mark2: must be a task (nearest: "mark"), is "mark2"',
      "top.yaml:7:5 Cannot accept tasks[2]: must have one task, has none",
    ]);
  });

  it("points at a source that is missing", async () => {
    await writeFile(join(specs, "there.conf"), "x");

    const found = await complaints("web", {
      "web.yaml":
        "base: debian-13\ntasks:\n  - mark: {name: a, source: there.conf}\n  - mark: {name: b, source: gone.conf}\n",
    });

    expect(found).toEqual([
      expect.stringContaining("web.yaml:4:29 Cannot accept tasks[1].mark.source: must be a file in "),
    ]);
    expect(found[0]).toContain("is missing: gone.conf");
  });

  it("wants a base, and one on which included specs agree", async () => {
    expect(await complaints("none", { "none.yaml": "tasks: []\n" })).toEqual([
      'none.yaml:1:1 Cannot build this spec: it or one it includes must have "base", none has',
    ]);
    expect(
      await complaints("mixed", {
        "one.yaml": "base: debian-12\n",
        "two.yaml": "base: debian-13\n",
        "mixed.yaml": "includes: [one, two]\n",
      }),
    ).toEqual([
      'one.yaml:1:7 Cannot choose a base: included specs must agree, are "debian-12" and "debian-13" (two.yaml:1:7)',
    ]);
  });

  it("lets the spec itself settle a base its includes disagree on", async () => {
    const loaded = await load("mixed", {
      "one.yaml": "base: debian-12\n",
      "mixed.yaml": "base: debian-13\nincludes: [one]\n",
    });

    expect(loaded.spec.base).toBe("debian-13");
  });

  it("shows which task's page helps when all complaints are about one", async () => {
    const error = await load("web", { "web.yaml": "base: debian-13\ntasks:\n  - mark: {name: 5}\n" }).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toMatchObject({
      mend: "Correct the spec; `provision tasks mark` shows what it takes",
      where: { line: 3, column: 18 },
    });
  });

  it("refuses bytes that are no text", async () => {
    await writeFile(join(specs, "bad.yaml"), Buffer.from([0x62, 0xff, 0xfe]));

    expect(await complaints("bad", {})).toEqual([
      "bad.yaml:1:1 Cannot read YAML: the file must be UTF-8 text, is not",
    ]);
  });
});

describe("findSpec", () => {
  it("names the nearest spec when there is none of that name", async () => {
    await writeFile(join(specs, "base.yaml"), "");

    await expect(findSpec("bsae", specs)).rejects.toMatchObject({ code: "USAGE", mend: 'Name "base"' });
  });
});
