import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { openPartial, publish } from "../../src/provisioner/image/image-store.ts";
import { scratchPlaces, sweepScratch } from "../../src/provisioner/image/sweep-scratch.ts";
import { thisProcess } from "../../src/provisioner/local/process-identity.ts";
import { openScratch, ownerFile } from "../../src/provisioner/local/scratch.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { someManifest } from "../support/some-manifest.ts";

let home: string;
let store: string;

beforeEach(async () => {
  home = await scratchFolder();
  store = join(home, "images");
});

/** A scratch directory whose process is dead: another one has its number now. */
async function left(parent: string, prefix: string): Promise<string> {
  const { path } = await openScratch(parent, prefix);
  await writeFile(join(path, ownerFile), JSON.stringify({ ...(await thisProcess()), started: "1" }));
  await writeFile(join(path, "disk.qcow2"), "half");
  return path;
}

async function sweep(check = false): Promise<string[]> {
  return (await sweepScratch(await scratchPlaces(home, store), { check })).toSorted();
}

it("removes what dead processes left: of guests, of bases, of unfinished images", async () => {
  const dead = [
    await left(join(home, "work"), "build"),
    await left(join(home, "scratch"), "base"),
    await left(join(store, "web"), ".partial"),
  ].toSorted();

  expect(await sweep()).toEqual(dead);
  expect(
    await Promise.all(["work", "scratch", "images/web"].map((name) => readdir(join(home, name)))),
  ).toEqual([[], [], []]);
  expect(await sweep()).toEqual([]);
});

it("only says so when it checks", async () => {
  const path = await left(join(home, "work"), "build");

  expect(await sweep(true)).toEqual([path]);
  expect(await readdir(path)).toContain("disk.qcow2");
});

it("leaves what the living own, and what is nobody's", async () => {
  await using living = await openScratch(join(home, "work"), "build");
  await mkdir(join(home, "work/somebody"));
  await mkdir(join(home, "work/cut-off"));
  await writeFile(join(home, "work/cut-off", ownerFile), '{"pid": 1');

  expect(await sweep()).toEqual([]);
  expect(await readdir(living.path)).toEqual([ownerFile]);
  expect((await readdir(join(home, "work"))).length).toBe(3);
});

it("never removes a published image, though its maker died before it took its name off", async () => {
  const partial = await openPartial(store, "web");
  await writeFile(join(partial.path, "image.qcow2"), "bytes");
  const { folder } = await publish(partial.path, store, someManifest());
  await writeFile(join(folder, ownerFile), JSON.stringify({ ...(await thisProcess()), started: "1" }));

  expect(await sweep()).toEqual([]);
  expect(await readdir(folder)).toContain("image.qcow2");
});

it("finds nothing where nothing was ever made", async () => {
  expect(await sweep()).toEqual([]);
});
