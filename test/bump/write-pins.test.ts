import { chmod, lstat, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { readText, replaceText } from "../../src/provisioner/bump/write-pins.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const options = { from: "old\r\n", to: "new\r\n", shown: "versions.yaml", run: quietRun() };

async function file(text = options.from) {
  const folder = await scratchFolder();
  const path = join(folder, "versions.yaml");
  await writeFile(path, text);
  return { folder, path };
}

it("replaces the text, keeps the mode and leaves nothing beside it", async () => {
  const { folder, path } = await file();
  await chmod(path, 0o640);

  await replaceText(path, options);

  expect(await readFile(path, "utf8")).toBe("new\r\n");
  expect((await stat(path)).mode & 0o7777).toBe(0o640);
  expect(await readdir(folder)).toEqual(["versions.yaml"]);
});

it("keeps a link, and replaces what it leads to", async () => {
  const { folder, path } = await file();
  const link = join(folder, "link.yaml");
  await symlink("versions.yaml", link);

  await replaceText(link, options);

  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(path, "utf8")).toBe("new\r\n");
});

it("refuses a file that somebody changed since it was read, and leaves it as it is", async () => {
  const { folder, path } = await file("somebody else's");

  await expect(replaceText(path, options)).rejects.toMatchObject({ code: "PINS_CHANGED" });

  expect(await readFile(path, "utf8")).toBe("somebody else's");
  expect(await readdir(folder)).toEqual(["versions.yaml"]);
});

it("reads only text whose bytes would come back", async () => {
  const { path } = await file();
  await writeFile(path, Buffer.from([0x61, 0xff, 0x62]));

  await expect(readText(path, "versions.yaml")).rejects.toMatchObject({ code: "PIN_EDIT_REFUSED" });
});
