import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";

import { itemsOf, type Item } from "../../bench/items.ts";
import { mustBeThere, verifyScript } from "../../bench/peers/verify-script.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bench-"));
  await symlink("somewhere", join(folder, "link"));
  await writeFile(join(folder, "there"), "");
});

afterEach(() => rm(folder, { recursive: true }));

it("counts the items that are there and names the others", async () => {
  const items: readonly Item[] = [
    { kind: "symlink", path: join(folder, "link"), target: "somewhere" },
    { kind: "symlink", path: join(folder, "link"), target: "elsewhere" },
    { kind: "absent", path: join(folder, "gone") },
    { kind: "absent", path: join(folder, "there") },
    { kind: "file", path: join(folder, "there"), text: "it's $HOME", mode: "0644" },
  ];

  const { stdout } = await execa("sh", ["-c", verifyScript(items)]);

  expect(stdout.split("\n")).toEqual([
    `missing: symlink ${folder}/link`,
    `missing: absent ${folder}/there`,
    `missing: file ${folder}/there`,
    "good: 2",
  ]);
  expect(() => mustBeThere(stdout, items)).toThrow("not made as wanted");
  expect(() => mustBeThere(stdout, items, 3)).not.toThrow();
});

it("looks at every item of a list", () => {
  expect(verifyScript(itemsOf(60)).match(/^item /gm)).toHaveLength(60);
});
