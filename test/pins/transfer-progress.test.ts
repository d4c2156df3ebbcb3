import { expect, it } from "vitest";

import { startRun } from "../../src/provisioner/core/run.ts";
import { transferProgress } from "../../src/provisioner/pins/transfer-progress.ts";

const MIB = 1024 ** 2;

/** Says bytes at moments, and gives what was reported. */
function told(total: number | undefined, moments: readonly (readonly [ms: number, bytes: number])[]) {
  const said: [string, number | undefined][] = [];
  let now = 0;
  const run = startRun({
    signal: new AbortController().signal,
    now: () => now,
    report: (event) => {
      if (event.kind === "step-progress") said.push([event.text, event.fraction]);
    },
  });
  const say = transferProgress(run, total);
  for (const [ms, bytes] of moments) {
    now = ms;
    say(bytes);
  }
  return said;
}

it("says bytes, rate and what is left", () => {
  const moments = [
    [0, 0],
    [1000, 10 * MIB],
    [2000, 20 * MIB],
  ] as const;

  expect(told(100 * MIB, moments)).toEqual([
    ["0.0 of 100.0 MiB", 0],
    ["10.0 of 100.0 MiB, 10.0 MiB/s, 9 s left", 0.1],
    ["20.0 of 100.0 MiB, 10.0 MiB/s, 8 s left", 0.2],
  ]);
});

it("says bytes and rate when nobody knows how many there are", () => {
  const moments = [
    [0, 0],
    [500, 4 * MIB],
  ] as const;

  expect(told(undefined, moments)).toEqual([
    ["0.0 MiB", undefined],
    ["4.0 MiB, 8.0 MiB/s", undefined],
  ]);
});

it("does not speak more often than an eye can follow", () => {
  const moments = Array.from({ length: 1001 }, (_, ms) => [ms, ms] as const);

  expect(told(1000, moments)).toHaveLength(5);
});

it("goes by the last seconds: a line that has gone slow is told so", () => {
  const quick = Array.from({ length: 13 }, (_, at) => [at * 250, at * 10 * MIB] as const);
  const slow = Array.from({ length: 13 }, (_, at) => [3250 + at * 250, (120 + (at + 1) / 4) * MIB] as const);

  expect(told(1000 * MIB, [...quick, ...slow]).at(-1)?.[0]).toContain(", 1.0 MiB/s, 15 min left");
});
