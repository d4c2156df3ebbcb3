import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { expect, it } from "vitest";

import { type Artifact, fetchArtifact } from "../../src/provisioner/pins/artifact-cache.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const body = Buffer.from("the bytes of a tool");
const sha256 = createHash("sha256").update(body).digest("hex");
const tool: Artifact = { name: "tool.tar.gz", url: "https://vendor.example/dl/tool%2B1.tar.gz", sha256 };

/** A cache whose network is a list of what was asked of it. */
async function world() {
  const asked: string[] = [];
  const recorded = recordedRun();
  const fetch = async (input: unknown) => {
    asked.push(String(input));
    return new Response(body);
  };
  const cacheDir = await scratchFolder();
  return { asked, ...recorded, options: { cacheDir, mirrors: [], run: recorded.run, fetch } };
}

async function folderWith(files: Readonly<Record<string, Buffer>>): Promise<string> {
  const folder = await scratchFolder();
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return folder;
}

it("says what is missing offline, where it looked, and what brings it", async () => {
  const { options, asked } = await world();

  await expect(fetchArtifact(tool, { ...options, offline: true, from: "/nowhere" })).rejects.toMatchObject({
    code: "ARTIFACT_MISSING",
    message: expect.stringMatching(`tool\\.tar\\.gz.*${sha256}.*${options.cacheDir}.*/nowhere`) as string,
    mend: expect.stringContaining("provision fetch") as string,
  });
  expect(asked).toEqual([]);
});

it("needs no network for what is in the cache", async () => {
  const { options, asked } = await world();
  await fetchArtifact(tool, options);

  const { cached } = await fetchArtifact(tool, { ...options, offline: true });

  expect(cached).toBe(true);
  expect(asked).toHaveLength(1);
});

it.each([`${sha256}/tool+1.tar.gz`, "tool+1.tar.gz", sha256])("takes %s out of a folder", async (path) => {
  const { options, asked } = await world();
  const from = await folderWith({ [path]: body });

  const found = await fetchArtifact(tool, { ...options, offline: true, from });

  expect(found.cached).toBe(false);
  expect(await readFile(found.path)).toEqual(body);
  expect(asked).toEqual([]);
});

it("keeps its own copy of what it took: the folder may go", async () => {
  const { options } = await world();
  const from = await folderWith({ "tool+1.tar.gz": body });
  const { path } = await fetchArtifact(tool, { ...options, offline: true, from });

  await writeFile(join(from, "tool+1.tar.gz"), "changed");

  expect(await readFile(path)).toEqual(body);
});

it("trusts no name: a file with other bytes is said, passed over, and the vendor asked", async () => {
  const { options, asked, events } = await world();
  const from = await folderWith({ "tool+1.tar.gz": Buffer.from("something else") });

  const { path } = await fetchArtifact(tool, { ...options, from });

  expect(await readFile(path)).toEqual(body);
  expect(asked).toEqual([tool.url]);
  expect(events).toContainEqual({
    kind: "note",
    level: "warning",
    text: expect.stringContaining(join(from, "tool+1.tar.gz")) as string,
  });
});

it("refuses other bytes when there is no network to ask, and leaves nothing of them", async () => {
  const { options } = await world();
  const from = await folderWith({ "tool+1.tar.gz": Buffer.from("something else") });

  await expect(fetchArtifact(tool, { ...options, offline: true, from })).rejects.toMatchObject({
    code: "DIGEST_DIFFERS",
    facts: { wanted: `sha256 ${sha256}` },
  });
  expect(await readdir(join(options.cacheDir, "artifacts"))).toEqual([]);
});

it("takes a good file that stands behind a wrong one", async () => {
  const { options } = await world();
  const from = await folderWith({ "tool+1.tar.gz": Buffer.from("something else"), [sha256]: body });

  const { path } = await fetchArtifact(tool, { ...options, offline: true, from });

  expect(await readFile(path)).toEqual(body);
});

it("does not ask again for a host that does not exist", async () => {
  const { options } = await world();
  let asked = 0;
  const fetch = async () => {
    asked += 1;
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND vendor.example"), { code: "ENOTFOUND" });
    throw new TypeError("fetch failed", { cause });
  };

  await expect(fetchArtifact(tool, { ...options, fetch })).rejects.toThrow("ENOTFOUND vendor.example");
  expect(asked).toBe(1);
});
