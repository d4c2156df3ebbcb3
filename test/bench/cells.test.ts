import { expect, it } from "vitest";

import { cellsFor, cellWords } from "../../bench/peers/cells.ts";

it("varies one thing at a time when nothing is wished for", () => {
  expect(cellsFor({}).map(cellWords)).toEqual([
    "no-op, 1 host, 60 items, 0 ms",
    "first, 1 host, 60 items, 0 ms",
    "check, 1 host, 60 items, 0 ms",
    "no-op, 1 host, 60 items, 10 ms",
    "no-op, 1 host, 60 items, 50 ms",
    "no-op, 5 hosts, 60 items, 0 ms",
    "no-op, 1 host, 240 items, 0 ms",
    "no-op, 20 hosts, 60 items, 0 ms",
  ]);
});

it("takes those of the usual ones that fit a wish", () => {
  expect(cellsFor({ actions: ["no-op"], hosts: [1], items: [60], rttsMs: [10, 50] }).map(cellWords)).toEqual([
    "no-op, 1 host, 60 items, 10 ms",
    "no-op, 1 host, 60 items, 50 ms",
  ]);
});

it("makes a cell of a wish that none of the usual ones fits", () => {
  expect(cellsFor({ actions: ["first"], hosts: [2], rttsMs: [50] })).toEqual([
    { action: "first", hosts: 2, items: 60, rttMs: 50 },
  ]);
});

it("combines everything on demand", () => {
  expect(cellsFor({ all: true })).toHaveLength(3 * 3 * 2 * 3);
  expect(cellsFor({ all: true, hosts: [5] })).toHaveLength(3 * 2 * 3);
});
