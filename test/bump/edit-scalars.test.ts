import { diffLines } from "diff";
import { array, assert, boolean, constantFrom, property, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { type Edit, editScalars } from "../../src/provisioner/bump/edit-scalars.ts";

const [old, next] = ["a".repeat(64), "b".repeat(64)];

const edits: readonly Edit[] = [
  { path: ["tools", "hello", "version"], value: "1.10.0" },
  { path: ["tools", "hello", "sha256", "x86_64"], value: next },
];

function edit(text: string, changes = edits): string {
  return editScalars(text, changes, "versions.yaml");
}

describe("editScalars", () => {
  it.each([
    [
      "block maps",
      `tools:\n  hello:\n    version: "1.9.0" # quoted\n    sha256:\n      x86_64: ${old}\n`,
      `tools:\n  hello:\n    version: "1.10.0" # quoted\n    sha256:\n      x86_64: ${next}\n`,
    ],
    [
      "flow maps",
      `tools: {hello: {version: '1.9.0',sha256: { x86_64: ${old} , aarch64: "x" }}}`,
      `tools: {hello: {version: '1.10.0',sha256: { x86_64: ${next} , aarch64: "x" }}}`,
    ],
    [
      "a mark at the beginning, and line ends of Windows",
      `\uFEFFtools:\r\n  hello:\r\n    version: 1.9.0\r\n    sha256: {x86_64: "${old}"}\r\n\r\n\r\n# end`,
      `\uFEFFtools:\r\n  hello:\r\n    version: 1.10.0\r\n    sha256: {x86_64: "${next}"}\r\n\r\n\r\n# end`,
    ],
    [
      "a value on a line of its own",
      `tools:\n  hello:\n    version:\n      # why\n      "1.9.0"\n    sha256: {x86_64: ${old}}\n`,
      `tools:\n  hello:\n    version:\n      # why\n      "1.10.0"\n    sha256: {x86_64: ${next}}\n`,
    ],
  ])("keeps everything else in %s", (_what, before, after) => {
    expect(edit(before)).toBe(after);
  });

  it.each(["1.3", "1e3", "20250101", "0x1f"])(
    "puts %s in quotes where plain it would be a number",
    (value) => {
      const edited = edit("version: 1.2.3 # pinned\n", [{ path: ["version"], value }]);

      expect(edited).toBe(`version: "${value}" # pinned\n`);
      expect(parse(edited)).toEqual({ version: value });
    },
  );

  it("leaves a text as it is when nothing changes", () => {
    const text = 'version:   "1.2.3"\n';

    expect(edit(text, [{ path: ["version"], value: "1.2.3" }])).toBe(text);
    expect(edit(text, [])).toBe(text);
  });

  it.each([
    ["an alias", "a: &v 1.2.3\nversion: *v\n", 'must be written out, is "*v"'],
    ["an anchor that others may mean", "version: &v 1.2.3\nother: *v\n", 'has the anchor "&v"'],
    ["a block text", "version: |\n  1.2.3\n", "must be a text in one line"],
    ["a mapping", "version: {}\n", "must be a text in one line"],
    ["nothing", "other: 1\n", "must be there, is not"],
    ["a key without a value", "version:\n", "must be a text in one line"],
  ])("refuses %s", (_what, text, says) => {
    expect(() => edit(text, [{ path: ["version"], value: "1.3.0" }])).toThrow(says);
  });

  it("refuses a place inside something that is used twice", () => {
    const text = "tools:\n  hello: &it\n    version: 1.2.3\n  other: *it\n";

    expect(() => edit(text, [{ path: ["tools", "hello", "version"], value: "1.3.0" }])).toThrow(
      'anchor "&it"',
    );
    expect(() => edit(text, [{ path: ["tools", "other", "version"], value: "1.3.0" }])).toThrow('is "*it"');
  });

  it.each(['1.0"\nevil: "1', "1.0 # x", "", "../1.0", "1.0\r\nx: y", "-1"])(
    "never writes %j, whatever a release is called",
    (value) => {
      expect(() => edit('version: "1.2.3"\n', [{ path: ["version"], value }])).toThrow(
        "must be a version or a digest",
      );
    },
  );

  it("changes exactly the lines of the version and the digests, however the file is written", () => {
    assert(
      property(anyFile, ({ text, newline }) => {
        const edited = edit(text);

        const changed = diffLines(text, edited).filter(({ added, removed }) => added || removed);
        expect(changed.filter(({ added }) => added).reduce((sum, { count }) => sum + count, 0)).toBe(2);
        expect(changed.filter(({ removed }) => removed).reduce((sum, { count }) => sum + count, 0)).toBe(2);
        expect(edited.replace("1.10.0", "1.9.0").replace(next, old)).toBe(text);
        expect(edited.split(newline)).toHaveLength(text.split(newline).length);
        expect(parse(edited)).toEqual({
          ...(parse(text) as object),
          tools: { hello: { version: "1.10.0", repo: "example/hello", sha256: { x86_64: next } } },
        });
      }),
      { numRuns: 300 },
    );
  });
});

const comment = constantFrom("", "# a comment", "    # version: 9.9.9", `# ${"c".repeat(120)}`, "   ");
const trailing = constantFrom("", " # trailing", "   ", "\t# tab: {x}");
const quote = constantFrom("", '"', "'");

/** The same pins, written in many ways. */
const anyFile = record({
  newline: constantFrom("\n", "\r\n"),
  indent: constantFrom("  ", "    "),
  between: array(comment, { minLength: 6, maxLength: 6 }),
  trails: array(trailing, { minLength: 3, maxLength: 3 }),
  quotes: tuple(quote, quote),
  flow: boolean(),
  last: constantFrom("", "\n", "\n\n# end", "\n# end\n"),
  versionFirst: boolean(),
}).map(({ newline, indent, between, trails, quotes: [one, other], flow, last, versionFirst }) => {
  const version = [`${indent}${indent}version:  ${one}1.9.0${one}${trails[0]}`, between[0]];
  const digest = flow
    ? [`${indent}${indent}sha256: { x86_64:   ${other}${old}${other}   }${trails[1]}`]
    : [
        `${indent}${indent}sha256:`,
        between[1],
        `${indent}${indent}${indent}x86_64: ${other}${old}${other}${trails[1]}`,
      ];
  const repo = [`${indent}${indent}repo:   example/hello${trails[2]}`, between[2]];
  const lines = [
    between[3],
    "bases: {}",
    between[4],
    "tools:",
    `${indent}hello:`,
    ...(versionFirst ? [...version, ...repo, ...digest] : [...digest, ...repo, ...version]),
  ];
  return { newline, text: `${lines.join("\n")}${last}`.replaceAll("\n", newline) };
});
