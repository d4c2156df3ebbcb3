import { mkdir, readdir, readlink, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import {
  findByKey,
  listImages,
  newVersion,
  openImage,
  openPartial,
  publish,
} from "../../src/provisioner/image/image-store.ts";
import type { Manifest } from "../../src/provisioner/image/manifest.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { someManifest } from "../support/some-manifest.ts";

let store: string;

beforeEach(async () => {
  store = join(await scratchFolder(), "images");
});

/** Publishes an image of five bytes. */
async function published(changes: Partial<Manifest> = {}) {
  const manifest = someManifest(changes);
  await using partial = await openPartial(store, manifest.name);
  await writeFile(join(partial.path, "image.qcow2"), "bytes");
  await writeFile(join(partial.path, "manifest.json"), JSON.stringify(manifest));
  return await publish(partial.path, store, manifest);
}

describe("newVersion", () => {
  const options = { at: "2026-11-23T12:34:56.000Z", key: "abcdef0123456789" };

  it("is the day and the beginning of the key", async () => {
    expect(await newVersion(store, "web", options)).toBe("20261123-abcdef01");
  });

  it("is numbered from the second of a day and key on", async () => {
    await mkdir(join(store, "web/20261123-abcdef01"), { recursive: true });
    await mkdir(join(store, "web/20261123-abcdef01.2"));

    expect(await newVersion(store, "web", options)).toBe("20261123-abcdef01.3");
  });
});

describe("publish", () => {
  it("moves the whole folder and points `latest` at it", async () => {
    const image = await published();

    expect(image).toMatchObject({ latest: true, path: join(store, "web/20261123-1/image.qcow2") });
    expect(await readlink(join(store, "web/latest"))).toBe("20261123-1");
    expect((await readdir(join(store, "web"))).toSorted()).toEqual(["20261123-1", "latest"]);
    expect((await readdir(image.folder)).toSorted()).toEqual(["image.qcow2", "manifest.json"]);
  });

  it("moves `latest` on with the next one and keeps the older", async () => {
    await published();
    await published({ version: "20261124-2", key: "2" });

    expect(await readlink(join(store, "web/latest"))).toBe("20261124-2");
    expect((await listImages(store)).map(({ version, latest }) => [version, latest])).toEqual([
      ["20261123-1", false],
      ["20261124-2", true],
    ]);
  });

  it("never takes the place of a version that is there", async () => {
    const image = await published();

    await expect(published()).rejects.toMatchObject({ code: "ENOTEMPTY" });
    expect(await readdir(join(store, "web"))).toEqual(["20261123-1", "latest"]);
    expect(await openImage(image.folder)).toMatchObject({ version: "20261123-1" });
  });
});

describe("findByKey", () => {
  it("finds the image that the same inputs made", async () => {
    await published();

    expect(await findByKey(store, "web", "1")).toMatchObject({ version: "20261123-1" });
    expect(await findByKey(store, "web", "2")).toBeUndefined();
    expect(await findByKey(store, "db", "1")).toBeUndefined();
  });

  it("does not take an image whose file was cut short", async () => {
    const { path } = await published();
    await truncate(path, 4);

    expect(await findByKey(store, "web", "1")).toBeUndefined();
  });

  it("sees no unfinished image, however far it came", async () => {
    await using partial = await openPartial(store, "web");
    await writeFile(join(partial.path, "image.qcow2"), "bytes");
    await writeFile(join(partial.path, "manifest.json"), JSON.stringify(someManifest()));

    expect(await findByKey(store, "web", "1")).toBeUndefined();
    expect(await listImages(store)).toEqual([]);
  });
});

describe("openImage", () => {
  it.each(["web/latest", "web/20261123-1", "web/20261123-1/image.qcow2"])("opens %s", async (path) => {
    await published();

    expect(await openImage(join(store, path))).toMatchObject({ name: "web", version: "20261123-1" });
  });

  it.each(["web", "nowhere", "web/dangling"])("says that no image is at %s", async (path) => {
    await published();
    await symlink("gone", join(store, "web/dangling"));

    await expect(openImage(join(store, path))).rejects.toMatchObject({ code: "IMAGE_MISSING", exitCode: 2 });
  });
});
