import { describe, expect, it } from "vitest";

import { layerYaml } from "../../src/provisioner/spec/layer-yaml.ts";
import { readYaml } from "../../src/provisioner/spec/read-yaml.ts";

function layers(lower: string, upper: string) {
  return layerYaml(readYaml(lower, "low"), readYaml(upper, "up"));
}

describe("layerYaml", () => {
  it("merges mappings key by key, and takes everything else from the upper file", () => {
    const yaml = layers(
      "a: {b: {c: 1, d: 2}, e: [1, 2]}\nf: low\ng: low\n",
      "a: {b: {d: 3}, e: [4]}\ng: up\nh: up\n",
    );

    expect(yaml.value).toEqual({ a: { b: { c: 1, d: 3 }, e: [4] }, f: "low", g: "up", h: "up" });
  });

  it.each([
    ["a value of the lower file", ["a", "b"], "low:1:8"],
    ["a value of the upper file", ["a", "c"], "up:2:8"],
    ["a value of both", ["d"], "up:1:4"],
    ["an entry of a list that the upper file has", ["l", 1], "up:3:8"],
    ["an entry that the upper file's list has not", ["l", 2], "up:3:1"],
    ["something in a list of the lower file", ["m", 0, "n"], "low:4:9"],
    ["something that the lower file's entry has not", ["m", 0, "x"], "low:4:5"],
    ["something that neither has", ["a", "x"], "up:2:1"],
    ["something that neither has at the top", ["x"], "up:1:1"],
    ["the whole", [], "up:1:1"],
  ])("knows where %s stands", (_title, path, place) => {
    const yaml = layers("a: {b: 1}\nd: 1\nl: [1, 2, 3]\nm: [{n: 1}]\n", "d: 2\na: {c: 1}\nl: [4, 5]\n");

    const { file, line, column } = yaml.where(path);

    expect(`${file}:${line}:${column}`).toBe(place);
  });

  it("is the lower file where the upper one is empty, and tells of what is wrong in both", () => {
    const empty = layers("a: {b: 1}\n", "# nothing yet\n");

    expect(empty.value).toEqual({ a: { b: 1 } });
    expect(empty.where(["a", "b"])).toEqual({ file: "low", line: 1, column: 8 });
    expect(layers("a: [", "b: {").complaints.map(({ where }) => where.file)).toEqual(
      expect.arrayContaining(["low", "up"]),
    );
  });

  it("keeps a key that JavaScript has a meaning for", () => {
    const yaml = layers('a: {"__proto__": 1}\n', 'a: {"constructor": 2}\n');

    expect(JSON.stringify(yaml.value)).toBe('{"a":{"__proto__":1,"constructor":2}}');
  });
});
