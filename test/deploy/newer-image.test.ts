import { describe, expect, it } from "vitest";

import { newerImage, type Published } from "../../src/provisioner/deploy/newer-image.ts";

describe("newerImage", () => {
  const [old, middle, latest] = ["a", "b", "c"].map((letter, index) =>
    published(`2026010${index + 1}-${letter}`, letter, letter === "c"),
  ) as [Published, Published, Published];
  const store = [old, middle, latest, published("20270101-z", "z", true, "other")];

  it.each([
    ["an older one", { image: "base@20260101-a", sha256: digest("a") }, store, "20260103-c"],
    ["the latest", { image: "base@20260103-c", sha256: digest("c") }, store, undefined],
    [
      "one that was gone back from",
      { image: "base@20260102-b", sha256: digest("b") },
      [{ ...old, latest: true }, middle],
      undefined,
    ],
    ["one that is not kept any more", { image: "base@20251231-x", sha256: digest("x") }, store, "20260103-c"],
    ["a newer one of another store", { image: "base@20260201-x", sha256: digest("x") }, store, undefined],
    [
      "one that was never published here",
      { image: "/tmp/disk.qcow2", sha256: digest("x") },
      store,
      undefined,
    ],
    ["nobody knows what", { image: undefined, sha256: undefined }, store, undefined],
  ])("of %s is %o", (_title, origin, images, newer) => {
    expect(newerImage(origin, images)).toBe(newer);
  });
});

function digest(letter: string): string {
  return letter.repeat(64);
}

function published(version: string, letter: string, latest: boolean, name = "base"): Published {
  const at = `${version.slice(0, 4)}-${version.slice(4, 6)}-${version.slice(6, 8)}T00:00:00Z`;
  return { name, version, latest, manifest: { built: { at }, image: { sha256: digest(letter) } } };
}
