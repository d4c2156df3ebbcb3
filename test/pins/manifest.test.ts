import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { parse } from "yaml";

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
