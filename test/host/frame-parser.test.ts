import * as fc from "fast-check";
import { expect, it } from "vitest";

import { frameParser } from "../../src/provisioner/host/frame-parser.ts";

const token = "0123456789abcdef";

it("finds marks and data however the stream is cut", () => {
  const stream = Buffer.from(
    `out\n\u001e${token} landed 0 done 0\nmore\nlines\n\u001e${token.slice(0, 9)} no\u001e${token} end 0\n`,
  );
  const cuts = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 });

  fc.assert(
    fc.property(cuts, (at) => {
      const { said, take } = recorder();
      const edges = [0, ...at.toSorted((a, b) => a - b), stream.length];

      edges.slice(1).forEach((edge, index) => take(stream.subarray(edges[index], edge)));

      expect(said()).toEqual([
        "out\n",
        ["landed", "0", "done", "0"],
        `more\nlines\n\u001e${token.slice(0, 9)} no`,
        ["end", "0"],
      ]);
    }),
  );
});

it("gives data on at once but for what may begin a mark", () => {
  const { said, take } = recorder();

  take(Buffer.from("Unpacking…\n"));
  expect(said()).toEqual(["Unpacking…\n"]);
  take(Buffer.from(`\u001e${token.slice(0, 5)}`));
  expect(said()).toEqual(["Unpacking…\n"]);
  take(Buffer.from("x"));

  expect(said()).toEqual([`Unpacking…\n\u001e${token.slice(0, 5)}x`]);
});

it("does not keep what looks like a mark without an end", () => {
  const { said, take } = recorder();

  take(Buffer.from(`\u001e${token} ${"x".repeat(5000)}`));

  expect(said()[0]).toHaveLength(1);
});

function recorder() {
  const events: (string | readonly string[])[] = [];
  const take = frameParser(token, {
    data: (bytes) => {
      const last = events.at(-1);
      if (typeof last === "string") events[events.length - 1] = last + bytes.toString();
      else events.push(bytes.toString());
    },
    mark: (words) => events.push(words),
  });
  return { take, said: () => events };
}
