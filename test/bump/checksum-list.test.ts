import { expect, it } from "vitest";

import { findInList } from "../../src/provisioner/bump/checksum-list.ts";

const [a, b] = ["a".repeat(64), "b".repeat(64)];

it.each([
  ["sha256sum's text form", `${b}  other.tar.gz\n${a}  tool.tar.gz\n`],
  ["sha256sum's binary form", `${b} *other.tar.gz\n${a} *tool.tar.gz\n`],
  ["names with ./ before them", `${b}  ./other.tar.gz\n${a}  ./tool.tar.gz\n`],
  ["BSD's form", `SHA256 (other.tar.gz) = ${b}\nSHA256 (tool.tar.gz) = ${a}\n`],
  ["line ends and a mark of Windows", `\uFEFF${b}  other.tar.gz\r\n${a}  tool.tar.gz\r\n`],
  ["a mark before the very line", `\uFEFF${a}  tool.tar.gz`],
  ["one digest and nothing else", `${a}\n`],
  ["one digest in capitals", `  ${a.toUpperCase()}`],
  ["one line with a path", `${a} *target/release/tool.tar.gz\n`],
  [
    "other digests and words around it",
    `# sums\n${"c".repeat(128)}  tool.tar.gz\n\n${a}\ttool.tar.gz\n${b}  tool.tar.gz.sig`,
  ],
  ["the same line twice", `${a}  tool.tar.gz\n${a} *tool.tar.gz\n`],
])("finds a file in %s", (_what, text) => {
  expect(findInList(text, "tool.tar.gz")).toEqual({ sha256: a });
});

it.each([
  ["names that are only alike", `${a}  tool.tar.gz.minisig\n${b}  my-tool.tar.gz\n${b}  Tool.tar.gz\n`],
  ["paths, where there are several lines", `${a}  musl/tool.tar.gz\n${b}  gnu/tool.tar.gz\n`],
  ["another single file", `${a}  other.tar.gz\n`],
  ["a page", "<html><body>Not found</body></html>"],
  ["a digest of another kind", "c".repeat(40)],
  ["nothing", ""],
])("finds none in %s", (_what, text) => {
  expect(findInList(text, "tool.tar.gz")).toEqual({
    reason: 'it must have a line for "tool.tar.gz", has none',
  });
});

it("takes neither of two digests for one file", () => {
  const listed = findInList(`${a}  tool.tar.gz\n${b}  tool.tar.gz\n`, "tool.tar.gz");

  expect(listed).toEqual({ reason: `it must have one digest for "tool.tar.gz", has ${a} and ${b}` });
});
