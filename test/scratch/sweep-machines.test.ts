import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { OwnedDomain } from "../../src/provisioner/libvirt/driver.ts";
import { holdLock } from "../../src/provisioner/local/lock.ts";
import { type ScratchRecord, writeRecord } from "../../src/provisioner/scratch/scratch-record.ts";
import { isForsaken, patientRemoval, sweepRecords } from "../../src/provisioner/scratch/sweep-machines.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let folder: string;
let path: string;
let record: ScratchRecord;

beforeEach(async () => {
  folder = await scratchFolder();
  path = join(folder, "debian-13.json");
  const machine = join(folder, "debian-13-a");
  const basePath = join(folder, "base.qcow2");
  await mkdir(machine);
  await writeFile(join(machine, "memory"), "");
  await writeFile(basePath, "");
  record = {
    base: "debian-13",
    baseKey: "sha256:1",
    basePath,
    distribution: "debian-13",
    uri: "fake:///system",
    network: "default",
    accelerator: "tcg",
    name: "provision-scratch-a",
    uuid: "uuid-a",
    mac: "52:54:00:00:00:01",
    console: join(machine, "console.log"),
    folder: machine,
    address: "192.0.2.1",
    user: "visitor",
    hostKey: "ssh-ed25519 AAAA",
    keyFile: join(machine, "key"),
  };
  await writeRecord(path, record);
});

const domain = (uuid = "uuid-a"): OwnedDomain => ({
  name: "provision-scratch-a",
  uuid,
  state: "shut-off",
  mark: { role: "scratch", run: "r", pid: 1, files: [], kept: path },
});

describe("a kept machine", () => {
  it("stays while its record leads to it and its base is there", async () => {
    expect(await isForsaken(domain())).toBe(false);
  });

  it("is forsaken when its base is gone", async () => {
    await rm(record.basePath);

    expect(await isForsaken(domain())).toBe(true);
  });

  it("is forsaken when its record is gone, leads to another, or is of another make", async () => {
    expect(await isForsaken(domain("uuid-b"))).toBe(true);
    await writeFile(path, JSON.stringify({ schema: 99, ...record }));
    expect(await isForsaken(domain())).toBe(true);
    await rm(path);
    expect(await isForsaken(domain())).toBe(true);
  });

  it("is forsaken when all of its folder are, and no other folder's", async () => {
    expect(await isForsaken(domain(), { below: folder })).toBe(true);
    expect(await isForsaken(domain(), { below: join(folder, "other") })).toBe(false);
  });

  it("is not removed while a run works with it", async () => {
    const run = quietRun();
    const lock = await holdLock(path, "the scratch machine", run);
    const removed: string[] = [];
    const driver = patientRemoval(
      { owned: async () => [], remove: async ({ uuid }) => void removed.push(uuid) },
      run,
    );

    const removal = driver.remove(domain());
    await new Promise((resolve) => setImmediate(resolve));
    const early = [...removed];
    await lock[Symbol.asyncDispose]();
    await removal;

    expect([early, removed]).toEqual([[], ["uuid-a"]]);
  });
});

describe("the record of a machine that libvirt knows no longer", () => {
  const sweep = (owned: readonly OwnedDomain[], check = false, uri = "fake:///system") =>
    sweepRecords(folder, { uri, owned: async () => owned }, { check, run: quietRun() });

  it("goes with its folder", async () => {
    expect(await sweep([])).toEqual([path]);
    expect([existsSync(path), existsSync(record.folder)]).toEqual([false, false]);
  });

  it("is named and stays when it is only looked for", async () => {
    expect(await sweep([], true)).toEqual([path]);
    expect([existsSync(path), existsSync(record.folder)]).toEqual([true, true]);
  });

  it("stays when the machine is there, or is another hypervisor's", async () => {
    expect(await sweep([domain()])).toEqual([]);
    expect(await sweep([], false, "qemu:///session")).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });
});
