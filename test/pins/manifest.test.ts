import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { parse } from "yaml";

import { checkDrivers } from "../../src/provisioner/pins/check-drivers.ts";
import { type Manifest, manifestSchema } from "../../src/provisioner/pins/manifest.ts";

const validate = new Ajv2020({ strict: true, allErrors: true, strictRequired: false }).compile(
  manifestSchema,
);
const shipped = parse(await readFile(join(import.meta.dirname, "../../versions.yaml"), "utf8")) as Manifest;

it("accepts the versions.yaml that ships", () => {
  validate(shipped);

  expect(validate.errors ?? []).toEqual([]);
});

it("pins every cloud image by a dated URL and a digest", () => {
  const clouds = Object.values(shipped.bases).filter((entry) => entry.kind === "cloud-image");

  expect(clouds.length).toBeGreaterThan(0);
  for (const { url, sha256, sha512, version } of clouds) {
    expect(sha256 ?? sha512).toBeDefined();
    expect(url).toContain(version);
  }
});

it("has a driver for every base that names one", () => {
  const named = Object.values(shipped.bases).flatMap((entry) =>
    entry.kind === "bootstrap" && entry.driver !== undefined ? [entry.driver] : [],
  );

  expect(named).toContain("nvidia");
  expect(checkDrivers(shipped)).toEqual([]);
});

it.each([
  [{}, "there is none"],
  [{ nvidia: { "debian-12": {} }, other: { "debian-13": {} } }, "other"],
])("says which drivers a base could have, of %j", (drivers, known) => {
  const entry = { kind: "bootstrap", distribution: "debian-13", driver: "nvidia" };
  const manifest = { bases: { gpu: entry }, drivers } as unknown as Manifest;

  expect(checkDrivers(manifest)).toEqual([
    {
      path: ["bases", "gpu", "driver"],
      part: "value",
      says: `must be a driver that is pinned for debian-13 (${known}), is "nvidia"`,
    },
  ]);
});

it("pins the packages of a driver in exact versions, and the kernel among them", () => {
  for (const pin of Object.values(shipped.drivers ?? {}).flatMap((driver) => Object.values(driver))) {
    expect(pin.packages.some((name) => name.startsWith(`linux-image-${pin.kernel}=`))).toBe(true);
    expect(pin.packages.some((name) => name.startsWith(`linux-headers-${pin.kernel}=`))).toBe(true);
  }
  const entry = { ...shipped.drivers?.["nvidia"]?.["debian-13"], packages: ["nvidia-kernel-dkms"] };

  expect(validate({ bases: {}, drivers: { nvidia: { "debian-13": entry } } })).toBe(false);
});

const cloud = {
  kind: "cloud-image",
  distribution: "debian-13",
  architecture: "amd64",
  version: "20260712-2537",
  url: "https://cloud.example/debian.qcow2",
  sha256: "a".repeat(64),
};

it.each<[string, object]>([
  ["no digest", { ...cloud, sha256: undefined }],
  ["a digest that is too short", { ...cloud, sha256: "abc" }],
  ["a version that YAML made a number", { ...cloud, version: 20260712 }],
  ["a URL of another scheme", { ...cloud, url: "ftp://cloud.example/debian.qcow2" }],
  ["a key nobody knows", { ...cloud, sha1: "a" }],
  ["a distribution nobody knows", { ...cloud, distribution: "debian-31" }],
  ["another kind", { ...cloud, kind: "iso" }],
])("refuses a base with %s", (_what, entry) => {
  // As YAML would give it: a key without a value is not there.
  const value = JSON.parse(JSON.stringify({ bases: { mine: entry } })) as unknown;

  expect(validate(value)).toBe(false);
});

it("accepts a base with a digest", () => {
  expect(validate({ bases: { mine: cloud } })).toBe(true);
});
