import { createHash } from "node:crypto";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { findImage } from "../../src/provisioner/deploy/source-image.ts";
import { qcow2 } from "../support/fake-deployment.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const GIB = 1024 ** 3;
const digestOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A store with these versions of the image "base", the first the oldest. */
async function storeWith(...versions: readonly string[]) {
  const folder = await scratchFolder();
  const store = join(folder, "images");
  for (const [index, version] of versions.entries()) await putImage(store, version, index);
  return { store, cacheDir: join(folder, "cache") };
}

async function putImage(store: string, version: string, day: number): Promise<void> {
  const bytes = qcow2({ virtualGiB: 4, text: version });
  const image = { sha256: digestOf(bytes), bytes: bytes.length, virtualBytes: 4 * GIB };
  const base = { name: "debian-13-amd64", digest: "" };
  const manifest = { name: "base", version, image, base, built: { at: `2026-01-0${day + 1}T00:00:00Z` } };
  const path = join(store, "base", version);
  await put(join(path, "image.qcow2"), bytes);
  await writeFile(join(path, "manifest.json"), JSON.stringify(manifest));
}

async function put(path: string, content: Buffer | string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

const spec = (version?: string) => ({ kind: "spec", name: "base", version }) as const;

describe("findImage", () => {
  it("takes the version that is named", async () => {
    const places = await storeWith("one", "two");

    expect(await findImage(spec("one"), places)).toEqual({
      label: "base@one",
      path: join(places.store, "base/one/image.qcow2"),
      sha256: digestOf(qcow2({ virtualGiB: 4, text: "one" })),
      bytes: 107,
      virtualBytes: 4 * GIB,
      distribution: "debian-13",
    });
  });

  it("takes the newest where none is named, or the one that was made the latest", async () => {
    const places = await storeWith("one", "two");
    const newest = await findImage(spec(), places);
    await symlink("one", join(places.store, "base/latest"));

    expect([newest.label, (await findImage(spec(), places)).label]).toEqual(["base@two", "base@one"]);
  });

  it.each([
    ["three", "base@three", /Name one of base@one, base@two, or "base" for the newest/],
    [undefined, "base", /provision build --spec base/],
  ])("says what to do where version %s was not built", async (version, image, mend) => {
    const places = version === undefined ? await storeWith() : await storeWith("one", "two");

    await expect(findImage(spec(version), places)).rejects.toMatchObject({
      code: "IMAGE_UNBUILT",
      facts: { image },
      mend: expect.stringMatching(mend) as string,
    });
  });

  it.each(["base/one", "base/one/image.qcow2", "base/latest"])(
    "knows a published image by its path: %s",
    async (path) => {
      const places = await storeWith("one");
      await symlink("one", join(places.store, "base/latest"));

      const found = await findImage({ kind: "file", path: join(places.store, path) }, places);

      expect(found).toMatchObject({ label: "base@one", distribution: "debian-13", bytes: 107 });
    },
  );

  it("takes a file that nobody published, by its own head and digest", async () => {
    const places = await storeWith();
    const bytes = qcow2({ virtualGiB: 9 });
    const path = await put(join(places.store, "mine.qcow2"), bytes);

    const found = await findImage({ kind: "file", path }, places);
    const again = await findImage({ kind: "file", path }, places);

    expect(found).toEqual({
      label: path,
      path,
      sha256: digestOf(bytes),
      bytes: bytes.length,
      virtualBytes: 9 * GIB,
      distribution: undefined,
    });
    expect(again).toEqual(found);
  });

  it("notices that a file is another one", async () => {
    const places = await storeWith();
    const path = await put(join(places.store, "mine.qcow2"), qcow2({ virtualGiB: 9, text: "one" }));
    const before = await findImage({ kind: "file", path }, places);
    await rm(path);
    await put(path, qcow2({ virtualGiB: 9, text: "another" }));

    expect((await findImage({ kind: "file", path }, places)).sha256).not.toBe(before.sha256);
  });

  it("does not take another program's manifest.json for an image's", async () => {
    const places = await storeWith();
    const path = await put(join(places.store, "mine.qcow2"), qcow2({ virtualGiB: 9 }));
    await writeFile(join(places.store, "manifest.json"), '{ "short_name": "web" }');

    expect(await findImage({ kind: "file", path }, places)).toMatchObject({ label: path });
  });

  it.each<[what: string, path: string, code: string]>([
    ["is missing", "gone.qcow2", "IMAGE_MISSING"],
    ["is below a file", "text/gone.qcow2", "IMAGE_MISSING"],
    ["is a folder of something else", ".", "IMAGE_MISSING"],
    ["is no qcow2", "text", "IMAGE_UNFIT"],
    ["stands on another file", "overlay.qcow2", "IMAGE_UNFIT"],
  ])("refuses what %s", async (_what, path, code) => {
    const places = await storeWith();
    const folder = await scratchFolder();
    await put(join(folder, "text"), "no image");
    await put(join(folder, "overlay.qcow2"), qcow2({ virtualGiB: 4, hasBackingFile: true }));

    await expect(findImage({ kind: "file", path: join(folder, path) }, places)).rejects.toMatchObject({
      code,
      exitCode: 2,
    });
  });
});
