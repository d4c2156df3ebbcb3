import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { privateCopy } from "../../src/provisioner/tools/private-copy.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const body = "the bytes";
const sha256 = createHash("sha256").update(body).digest("hex");
const file = { name: "thing", url: "https://example.org/thing", sha256 };

async function cached(mode: number) {
  const folder = await scratchFolder();
  const directory = join(folder, "cache");
  await mkdir(directory);
  await writeFile(join(directory, "thing"), body, { mode: 0o444 });
  await chmod(directory, mode);
  return { path: join(directory, "thing"), copy: join(folder, "copy") };
}

it("uses a file that nobody else can replace", async () => {
  const { path, copy } = await cached(0o755);

  expect(await privateCopy(path, file, copy)).toBe(path);
});

it("copies and checks one that others could replace", async () => {
  const { path, copy } = await cached(0o777);

  expect(await privateCopy(path, file, copy)).toBe(copy);
  expect(await readFile(copy, "utf8")).toBe(body);
});

it("refuses one that others have replaced", async () => {
  const { path, copy } = await cached(0o777);
  const other = { ...file, sha256: "0".repeat(64) };

  await expect(privateCopy(path, other, copy)).rejects.toMatchObject({
    code: "DIGEST_DIFFERS",
    facts: { got: sha256 },
  });
  await expect(readFile(copy)).rejects.toMatchObject({ code: "ENOENT" });
});
