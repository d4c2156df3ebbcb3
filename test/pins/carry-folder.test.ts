import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { carry, placeInFolder, sizeIfCarried } from "../../src/provisioner/pins/carry-folder.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const text = "the bytes";
const sha256 = createHash("sha256").update(text).digest("hex");
const artifact = { name: "a", url: "https://vendor.example/a", sha256 };

/** A file of the cache, kept some time ago. */
async function inCache() {
  const path = join(await scratchFolder(), "kept");
  await writeFile(path, text, { mode: 0o444 });
  await utimes(path, 1000, 1000);
  return { path, bytes: text.length, digest: `sha256:${sha256}`, cached: true };
}

it("shares the cache's bytes on one file system", async () => {
  const cached = await inCache();
  const path = placeInFolder(await scratchFolder(), artifact, "a");

  await carry(cached, path);

  expect((await stat(path)).ino).toBe((await stat(cached.path)).ino);
  expect(await sizeIfCarried(path, artifact, cached)).toBe(text.length);
});

it("copies with the time to another file system, and leaves nothing half-done", async (context) => {
  const cached = await inCache();
  const other = await mkdtemp("/dev/shm/provision-test-").catch(() => "/tmp");
  const isOther = (await stat(other)).dev !== (await stat(cached.path)).dev;
  if (!isOther) context.skip("/dev/shm is no file system of its own here");
  const path = placeInFolder(other, artifact, "a");

  await carry(cached, path);

  expect(await readFile(path, "utf8")).toBe(text);
  expect((await stat(path)).mtimeMs).toBe(1_000_000);
  expect(await readdir(join(other, sha256))).toEqual(["a"]);
  await rm(other, { recursive: true });
});

it.each([
  ["other bytes of the same size", "THE BYTES", undefined],
  ["another size", "bytes", undefined],
  ["the same bytes, written anew", text, text.length],
])("reads a file that is not the cache's own: %s", async (_, written, size) => {
  const cached = await inCache();
  const path = join(await scratchFolder(), "a");
  await writeFile(path, written);

  expect(await sizeIfCarried(path, artifact, cached)).toBe(size);
  expect(await sizeIfCarried(path, artifact, undefined)).toBe(size);
});
