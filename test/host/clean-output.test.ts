import { expect, it } from "vitest";

import { cleanOutput } from "../../src/provisioner/host/clean-output.ts";

it.each([
  ["colours", "\u001b[1;31mred\u001b[0m", "red"],
  ["window titles", "\u001b]0;title\u0007text", "text"],
  ["links", "\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["8-bit sequences", "\u009b31mred", "red"],
  ["a device string", "\u001bP1$r0m\u001b\\text", "text"],
  ["character set switches", "\u001b(Btext", "text"],
  ["bells, backspaces and DEL", "a\u0007b\bc\u007fd", "abcd"],
  ["bidi overrides", "a\u202eb\u2066c", "abc"],
])("strips %s", (_, foreign, clean) => {
  expect(cleanOutput(foreign)).toBe(clean);
});

it("keeps tabs, newlines and other people's letters", () => {
  expect(cleanOutput("a\tb\nžluťoučký 漢字 🎉\n")).toBe("a\tb\nžluťoučký 漢字 🎉\n");
});

it("makes a line of each drawing of a progress bar", () => {
  expect(cleanOutput("10%\r50%\r\r\n100%\r\n")).toBe("10%\n50%\n100%\n");
});

it("decodes bytes that are no UTF-8 as well as it can", () => {
  expect(cleanOutput(Buffer.from([0x61, 0xff, 0x62]))).toBe("a\ufffdb");
});
