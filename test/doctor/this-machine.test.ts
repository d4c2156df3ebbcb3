import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { thisMachine } from "../../src/provisioner/doctor/machine.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const machine = thisMachine("/nowhere/at/all", recordedRun().run);

it("hears what a program prints, and nothing of one that fails or is not there", async () => {
  expect(await machine.ask("echo", "here")).toBe("here");
  expect(await machine.ask("false")).toBeUndefined();
  expect(await machine.ask("no-such-program")).toBeUndefined();
});

it("finds programs in sbin too", async () => {
  expect(await machine.has("sh")).toBe(true);
  expect(await machine.has("ldconfig")).toBe(true);
  expect(await machine.has("no-such-program")).toBe(false);
});

it("measures the space where a directory will be", async () => {
  expect(await machine.freeGiB(machine.cacheDir)).toBeGreaterThan(0);
});

it("sees a directory that lets only its owner through", async () => {
  const folder = join(await scratchFolder(), "closed");
  await mkdir(folder);
  await chmod(folder, 0o700);

  expect(await machine.isOpen(folder)).toBe(false);
  expect(await machine.isOpen("/usr")).toBe(true);
});
