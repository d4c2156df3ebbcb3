import { expect, it } from "vitest";

import {
  defaultSizes,
  idFrom,
  layOutDisk,
  offsetOf,
  partitionScript,
} from "../../src/provisioner/image/disk-layout.ts";

it("puts state last and leaves no gap", () => {
  const { esp, root, state, sizeMiB } = layOutDisk({ rootGiB: 6, stateGiB: 2 }, "seed");

  expect([esp.startMiB, root.startMiB, state.startMiB]).toEqual([1, 65, 6209]);
  expect(sizeMiB).toBe(8258);
});

it("says where a file system begins in bytes", () => {
  const { root } = layOutDisk(defaultSizes, "seed");

  expect(offsetOf(root)).toBe(68_157_440);
});

it("writes a table that sfdisk reads", () => {
  const script = partitionScript(layOutDisk({ rootGiB: 3, stateGiB: 1 }, "seed"));

  expect(script.split("\n").slice(0, 5)).toEqual([
    "label: gpt",
    expect.stringMatching(/^label-id: [0-9a-f-]{36}$/),
    "unit: sectors",
    expect.stringMatching(/^start=2048, size=131072, type=C12A7328-.*, uuid=[0-9a-f-]{36}, name="ESP"$/),
    expect.stringMatching(/^start=133120, size=6291456, type=4F68BCE3-.*, name="root"$/),
  ]);
});

it("gives the same seed the same ids and another seed others", () => {
  const one = layOutDisk(defaultSizes, "a");
  const again = layOutDisk(defaultSizes, "a");
  const other = layOutDisk(defaultSizes, "b");

  expect(again).toEqual(one);
  expect(other.root.uuid).not.toBe(one.root.uuid);
});

it("makes ids that are UUIDs of version 8", () => {
  expect(idFrom("seed", "root")).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
