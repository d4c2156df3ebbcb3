import { expect, it } from "vitest";

import { LastLines } from "../../src/provisioner/host/last-lines.ts";

function kept(longest: number, ...pieces: readonly string[]): string {
  const lines = new LastLines(longest);
  for (const piece of pieces) lines.take(Buffer.from(piece));
  return lines.bytes.toString();
}

it.each([
  ["all that fits", 10, ["one\n", "two\n"], "one\ntwo\n"],
  ["no line without its beginning", 10, ["first\nsecond\nthird"], "third"],
  ["a line whose beginning just fits", 12, ["first\nsecond\nthird"], "second\nthird"],
  ["a line that is not over yet", 10, ["first\nse", "cond"], "second"],
  ["nothing of a line that is too long", 6, ["0123456789"], ""],
  ["nothing of its end, which comes later", 6, ["0123456789", "abc"], ""],
  ["what comes behind it", 6, ["0123456789", "abc\nyes"], "yes"],
  ["the last drawing of a progress bar", 6, ["10 %\r20 %\r30 %"], "30 %"],
])("keeps %s", (_, longest, pieces, text) => {
  expect(kept(longest, ...pieces)).toBe(text);
});
