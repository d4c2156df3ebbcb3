import { describe, expect, it } from "vitest";

import { readYaml } from "../../src/provisioner/spec/read-yaml.ts";

describe("readYaml", () => {
  it("finds keys and values by their path", () => {
    const yaml = readYaml("base: debian-13\ntasks:\n  - sysctl:\n      key: a.b\n      value: 5\n", "x.yaml");

    expect(yaml.complaints).toEqual([]);
    expect(yaml.where(["tasks", 0, "sysctl", "value"])).toEqual({ file: "x.yaml", line: 5, column: 14 });
    expect(yaml.where(["tasks", 0, "sysctl", "value"], "key")).toMatchObject({ line: 5, column: 7 });
    expect(yaml.where(["tasks", 0, "sysctl"], "key")).toMatchObject({ line: 3, column: 5 });
  });

  it("gives the nearest place around what is not there", () => {
    const yaml = readYaml("a:\n  b:\n  c: 1\n", "x.yaml");

    expect(yaml.where(["a", "missing", "deeper"])).toMatchObject({ line: 1, column: 1 });
    expect(yaml.where(["a", "b"])).toMatchObject({ line: 2, column: 5 });
    expect(readYaml("", "x.yaml").where(["a", 0])).toEqual({ file: "x.yaml", line: 1, column: 1 });
  });

  it("finds what stands behind an alias at its anchor", () => {
    const yaml = readYaml("a: &it\n  b: 1\nc: *it\n", "x.yaml");

    expect(yaml.value).toEqual({ a: { b: 1 }, c: { b: 1 } });
    expect(yaml.where(["c", "b"])).toMatchObject({ line: 2, column: 6 });
  });

  it.each([
    ["a key twice", "a: 1\nb: 2\na: 3\n", 3, 1, 'key "a" must be given once, is given again'],
    ["a tab as indentation", "a:\n\tb: 1\n", 2, 1, "indentation must be spaces, is a tab"],
    [
      "an alias without anchor",
      "a: 1\nb: *gone\n",
      2,
      4,
      'alias "*gone" must follow its anchor "&gone", has none',
    ],
    ["an unknown tag", "a: !secret x\n", 1, 4, "unresolved tag: !secret"],
    ["two documents", "a: 1\n---\nb: 2\n", 2, 1, "the file must hold one document, holds more"],
    ["a list as a key", "? [1, 2]\n: 3\n", 1, 3, "a key must be text, is a collection"],
    ["an open quote", 'a: "x\n', 2, 1, 'missing closing "quote'],
  ])("complains at line and column of %s", (_, text, line, column, what) => {
    const yaml = readYaml(text, "x.yaml");

    expect(yaml.complaints).toContainEqual({
      where: { file: "x.yaml", line, column },
      what: `Cannot read YAML: ${what}`,
    });
    expect(yaml.value).toBeUndefined();
  });

  it("refuses a file whose aliases multiply", () => {
    const layers = Array.from({ length: 9 }, (_, index) => {
      const below = index === 0 ? "x" : `*l${index - 1}`;
      return `l${index}: &l${index} [${Array.from({ length: 9 }, () => below).join(", ")}]`;
    });

    const yaml = readYaml(`${layers.join("\n")}\n`, "bomb.yaml");

    expect(yaml.complaints).toHaveLength(1);
    expect(yaml.complaints[0]?.what).toContain("Excessive alias count");
  });

  it("reports several mistakes of one file together", () => {
    const yaml = readYaml("a: 1\na: 2\nb: *gone\nc: !x y\n", "x.yaml");

    expect(yaml.complaints.map(({ where }) => where.line).toSorted((one, other) => one - other)).toEqual([
      2, 3, 4,
    ]);
  });
});
