import { expect, it } from "vitest";

import { comparable } from "../../src/provisioner/image/manifest.ts";
import { someManifest } from "../support/some-manifest.ts";

const one = someManifest();

it("is the same for two builds of the same inputs at another time, on another machine", () => {
  const other = someManifest({
    version: "20261124-1.2",
    image: { ...one.image, sha256: "d".repeat(64), bytes: 6 },
    built: {
      at: "2026-11-24T00:00:00.000Z",
      provision: "0.1.0",
      accelerator: "kvm",
      phases: [{ name: "Digest", ms: 7 }],
    },
  });

  expect(comparable(other)).toEqual(comparable(one));
});

it.each([
  ["key", { key: "2" }],
  ["base", { base: { name: "debian-13", digest: "e".repeat(64) } }],
  ["size of the disk", { image: { ...one.image, virtualBytes: 1 } }],
  ["packages", { packages: [{ name: "curl", version: "8", architecture: "amd64" }] }],
  ["promises", { readOnlyRoot: true }],
  ["uses", { uses: [{ task: "file", use: "file /etc/motd", from: "web.yaml:1" }] }],
])("differs when the %s differ", (_, changes) => {
  expect(comparable(someManifest(changes))).not.toEqual(comparable(one));
});
