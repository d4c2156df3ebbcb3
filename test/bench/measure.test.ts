import { expect, it } from "vitest";

import { least, median, ratio } from "../../bench/measure.ts";

const samples = new Map([
  ["odd", [9, 1, 5]],
  ["even", [4, 1, 3, 2]],
  ["ours", [2, 30, 4, 1000]],
  ["floor", [1, 10, 1]],
]);

it("takes the middle of an odd number, and the mean of the middle two of an even one", () => {
  expect([median(samples, "odd"), median(samples, "even")]).toEqual([5, 2.5]);
});

it("takes the quickest", () => {
  expect(least(samples, "odd")).toBe(1);
});

it("compares round by round, as far as both went", () => {
  expect(ratio(samples, "ours", "floor")).toBe(3);
  expect(ratio(samples, "floor", "ours")).toBeCloseTo(1 / 3);
});

it("has no number for who never ran", () => {
  expect(ratio(samples, "ours", "nobody")).toBeNaN();
});
