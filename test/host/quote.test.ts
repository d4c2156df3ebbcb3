import { execFileSync } from "node:child_process";

import * as fc from "fast-check";
import { expect, it } from "vitest";

import { quote, quoteWord } from "../../src/provisioner/host/quote.ts";

/** Text that programs can be given. */
const sendable = fc
  .string({ unit: "binary", maxLength: 60 })
  .filter((text) => !/\0|\p{Surrogate}/u.test(text));

it("brings every word through a shell unchanged", () => {
  fc.assert(
    fc.property(fc.array(sendable, { minLength: 1, maxLength: 20 }), (words) => {
      const line = `printf '%s\\0' ${quote(words)}`;

      const came = execFileSync("/bin/sh", ["-c", line]).toString();

      expect(came).toBe(words.map((word) => `${word}\0`).join(""));
    }),
    { numRuns: 60 },
  );
});

it.each([
  ["plain", "plain"],
  ["/a-b_c.d:e@f%g+h,i", "/a-b_c.d:e@f%g+h,i"],
  ["", "''"],
  ["two words", "'two words'"],
  ["it's", "'it'\\''s'"],
  ["a=b", "'a=b'"],
  ["~root", "'~root'"],
  ["*", "'*'"],
])("writes %j as %s", (word, line) => {
  expect(quoteWord(word)).toBe(line);
});

it.each([
  ["a NUL byte", "a\0b", /must not hold a NUL byte/],
  ["half a surrogate pair", "a\ud800b", /must be well-formed Unicode/],
])("refuses %s", (_, word, why) => {
  expect(() => quoteWord(word)).toThrow(why);
});
