import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { baseFiles } from "../../src/provisioner/image/base-files.ts";
import { baseKey, bucketStart, findBase, prepareBase } from "../../src/provisioner/image/base-image.ts";
import { inputsOf, keyOf } from "../../src/provisioner/image/bootstrap-inputs.ts";
import { digestOf, keep } from "../../src/provisioner/local/kept-file.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { shippedTemplates, trixie } from "../support/bases.ts";
import { someDriver } from "../support/some-driver.ts";
import { serveFile } from "../support/file-server.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const today = new Date("2026-11-23T12:00:00Z");
const manifest = { bases: { "debian-13": trixie } };

it("names the bases there are when the one asked for is not there", async () => {
  const { run } = recordedRun();
  const options = { manifest, cacheDir: "/nowhere", templates: shippedTemplates, run };

  await expect(prepareBase("debian-14", options)).rejects.toMatchObject({
    code: "BASE_UNKNOWN",
    exitCode: 2,
    mend: "Use one of debian-13, or add an entry",
  });
});

it("gives a base with a driver that one's packages, and its kernel in place of the newest", () => {
  const { pins } = someDriver("nvidia");
  const drivers = {
    nvidia: { "debian-13": { ...pins["debian-13"], packages: [...(pins["debian-13"]?.packages ?? [])] } },
  };
  const withDriver = { bases: { gpu: { ...trixie, driver: "nvidia" } }, drivers } as Manifest;

  expect(findBase("gpu", withDriver)).toMatchObject({
    packages: ["openssh-server", ...(pins["debian-13"]?.packages ?? [])],
  });
  expect(findBase("debian-13", manifest)).toEqual(trixie);
});

it("changes the key of a base with a driver when that one is pinned anew, and of no other", () => {
  const pinned = (version: string): Manifest =>
    ({
      bases: { plain: trixie, gpu: { ...trixie, driver: "nvidia" } },
      drivers: { nvidia: { "debian-13": { packages: [`nvidia-kernel-dkms=${version}`] } } },
    }) as unknown as Manifest;
  const key = (name: string, version: string) =>
    baseKey(name, { manifest: pinned(version), templates: shippedTemplates, today });

  expect(key("gpu", "2")).not.toBe(key("gpu", "1"));
  expect(key("plain", "2")).toBe(key("plain", "1"));
});

it("takes a base from the cache without a step when its inputs are unchanged", async () => {
  const cacheDir = await scratchFolder();
  const epoch = bucketStart(today, 7);
  const key = keyOf(inputsOf({ entry: trixie, epoch, files: baseFiles(trixie, shippedTemplates) }));
  const kept = await keepIn(cacheDir, `debian-13-${key.slice(0, 16)}.qcow2`);
  const { run, events } = recordedRun();

  const base = await prepareBase("debian-13", {
    manifest,
    cacheDir,
    templates: shippedTemplates,
    run,
    today,
  });

  expect(base).toMatchObject({
    path: kept.path,
    key,
    cached: true,
    layout: "provision",
    distribution: "debian-13",
  });
  expect(`sha256:${base.digest}`).toBe(kept.digest);
  expect(events).toEqual([]);
});

it("refuses a cloud image whose digest is another one than pinned, and keeps nothing of it", async () => {
  const cacheDir = await scratchFolder();
  await using server = await serveFile(Buffer.from("another disk"));
  const entry = {
    kind: "cloud-image" as const,
    distribution: "debian-13" as const,
    architecture: "amd64" as const,
    version: "20261101",
    url: server.url,
    sha256: "0".repeat(64),
  };
  const { run } = recordedRun();
  const options = { manifest: { bases: { cloud: entry } }, cacheDir, templates: shippedTemplates, run };

  await expect(prepareBase("cloud", options)).rejects.toMatchObject({
    code: "DIGEST_DIFFERS",
    exitCode: 5,
    facts: { wanted: `sha256 ${"0".repeat(64)}` },
  });
  const left = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  expect(left.filter((each) => each.isFile()).map(({ name }) => name)).toEqual([]);
});

it("keeps to one bucket for its days, then moves to the next", () => {
  const start = bucketStart(today, 7);
  const last = new Date((start + 7 * 24 * 3600 - 1) * 1000);
  const next = new Date((start + 7 * 24 * 3600) * 1000);

  expect(bucketStart(last, 7)).toBe(start);
  expect(bucketStart(next, 7)).toBe(start + 7 * 24 * 3600);
});

async function keepIn(cacheDir: string, name: string): Promise<{ path: string; digest: string }> {
  const folder = join(cacheDir, "bases");
  await mkdir(folder);
  const partial = join(folder, "partial");
  await writeFile(partial, "a disk");
  const digest = await digestOf(partial, "sha256");
  return keep(partial, join(folder, name), { digest, facts: {} });
}
