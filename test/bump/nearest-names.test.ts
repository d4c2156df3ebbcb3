import { expect, it } from "vitest";

import { nearestNames } from "../../src/provisioner/bump/nearest-names.ts";

it("names what a file was renamed to, the likest first", () => {
  const names = [
    "checksums.txt",
    "tool-win-x86_64.zip",
    "tool-1.1.0-linux-gnu-x86_64.tar.gz",
    "tool-1.1.0-linux-x86_64.tar.gz",
  ];

  expect(nearestNames("tool-1.1.0-linux-amd64.tar.gz", names)).toEqual([
    "tool-1.1.0-linux-x86_64.tar.gz",
    "tool-1.1.0-linux-gnu-x86_64.tar.gz",
  ]);
});

it("names nothing when nothing is like it", () => {
  expect(nearestNames("hello.tar.gz", ["notes.md", "sbom.json"])).toEqual([]);
});
