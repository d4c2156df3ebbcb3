import { chmod, copyFile, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { digestOf, findKept, keep } from "../../src/provisioner/local/kept-file.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

it("finds what was kept, with its digest and facts, read-only", async () => {
  const path = await kept("bytes");

  expect(await findKept(path)).toEqual({
    path,
    bytes: 5,
    digest: await digestOf(path, "sha256"),
    facts: { from: "here" },
  });
  expect((await stat(path)).mode & 0o777).toBe(0o444);
});

it("finds a copied file again after it has read its bytes", async () => {
  const path = await kept("bytes");
  await copyFile(path, `${path}.copy`);
  await rename(`${path}.copy`, path);

  expect(await findKept(path)).toBeDefined();
  expect(JSON.parse(await readFile(`${path}.json`, "utf8"))).toMatchObject({ inode: (await stat(path)).ino });
});

it("does not find a file whose bytes were changed", async () => {
  const path = await kept("bytes");
  await chmod(path, 0o644);
  await writeFile(path, "BYTES");
  await utimes(path, new Date(0), new Date(0));

  expect(await findKept(path)).toBeUndefined();
});

it.each(["", "{", '{"digest":'])("does not find a file whose record is %j", async (record) => {
  const path = await kept("bytes");
  await writeFile(`${path}.json`, record);

  expect(await findKept(path)).toBeUndefined();
});

it("does not find a file without its record: it may be half of one", async () => {
  const folder = await scratchFolder();
  await writeFile(join(folder, "file"), "bytes");

  expect(await findKept(join(folder, "file"))).toBeUndefined();
});

async function kept(text: string): Promise<string> {
  const path = join(await scratchFolder(), "file");
  await writeFile(`${path}.partial`, text);
  const digest = await digestOf(`${path}.partial`, "sha256");
  await keep(`${path}.partial`, path, { digest, facts: { from: "here" } });
  return path;
}
