import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import type { BorrowedGuest } from "../../src/provisioner/libvirt/borrow.ts";
import type { VagrantMachine } from "../../src/provisioner/scratch/vagrant-machine.ts";
import { openVagrantScratch, type VagrantScratch } from "../../src/provisioner/scratch/vagrant-scratch.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const machine: VagrantMachine = {
  uuid: "0b0ee5d8-5b0f-4b6c-9a0c-3d9a0b0ee5d8",
  address: "192.0.2.1",
  port: 22,
  user: "vagrant",
  privateKey: "private",
  hostKey: "ssh-ed25519 AAAA",
  base: "debian-13",
  distribution: "debian-13",
};

let machinesDir: string;
let journal: string[];
let snapshots: string[];
let cloudInit: string;

beforeEach(async () => {
  machinesDir = join(await scratchFolder(), "machines");
  journal = [];
  snapshots = [];
  cloudInit = JSON.stringify({ v1: { errors: [] } });
});

const guest: BorrowedGuest = {
  name: "provision_default",
  mac: "52:54:00:12:34:56",
  snapshots: {
    take: async (name) => {
      journal.push("take");
      snapshots.push(name);
    },
    revert: async (name) => {
      if (!snapshots.includes(name)) throw new Error(`no snapshot ${name}`);
      journal.push("revert");
    },
    forget: async (name) => {
      journal.push("forget");
      snapshots = snapshots.filter((each) => each !== name);
    },
    list: async () => snapshots,
  },
  consoleTail: async () => "",
  consoleSize: async () => 0,
};

const connect: NonNullable<VagrantScratch["connect"]> = async () => {
  journal.push("log in");
  const host = emptyMachine();
  host.files.directory("/run/cloud-init");
  host.files.write("/run/cloud-init/result.json", cloudInit);
  host.program("date", () => {
    journal.push("set clock");
  });
  return host;
};

async function open(more: Partial<VagrantScratch> = {}, signal?: AbortSignal) {
  const { run } = recordedRun(signal);
  return { run, scratch: await openVagrantScratch({ machine, guest, machinesDir, connect, ...more }, run) };
}

describe("Vagrant's machine as a scratch machine", () => {
  it("is put aside when it is set up, and runs on as it was when the run ends", async () => {
    const { scratch } = await open();
    await scratch[Symbol.asyncDispose]();

    expect(journal).toEqual(["log in", "take", "log in", "revert", "forget"]);
    expect(snapshots).toEqual([]);
    expect([scratch.base, scratch.mac, scratch.sshLine]).toEqual(["debian-13", guest.mac, "vagrant ssh"]);
  });

  it("is reset for who has looked at its host, and then gets the time of this machine", async () => {
    const { scratch, run } = await open();
    await scratch.reset(run);
    const untouched = journal.length;
    const before = scratch.host;

    await scratch.reset(run);

    expect(journal.slice(untouched)).toEqual(["revert", "log in", "set clock"]);
    expect(scratch.host).not.toBe(before);
    await scratch[Symbol.asyncDispose]();
  });

  it("stays as it is when it is kept, and is gone back with by the next run", async () => {
    const { scratch } = await open();
    scratch.keep();
    await scratch[Symbol.asyncDispose]();
    const kept = journal.at(-1);

    await (await open()).scratch[Symbol.asyncDispose]();

    expect(kept).toBe("log in");
    expect(journal.filter((line) => line === "take")).toHaveLength(1);
    expect(snapshots).toEqual([]);
  });

  it("is not taken when cloud-init failed in it", async () => {
    cloudInit = JSON.stringify({ v1: { errors: ["no user"] } });

    await expect(open()).rejects.toMatchObject({ code: "CLOUD_INIT_FAILED" });

    expect(journal).toEqual(["log in"]);
  });

  it("is as it was after a run that could not log in again", async () => {
    let logins = 0;
    const failing: typeof connect = async (...given) => {
      logins += 1;
      if (logins > 1) throw new Error("no answer");
      return connect(...given);
    };

    await expect(open({ connect: failing })).rejects.toThrow("no answer");

    expect(journal).toEqual(["log in", "take", "revert", "forget"]);
    await (await open()).scratch[Symbol.asyncDispose]();
  });

  it("is one run's at a time", async () => {
    const { scratch } = await open();
    let isOpen = false;
    const second = open().then((opened) => {
      isOpen = true;
      return opened;
    });
    await new Promise((resolve) => setImmediate(resolve));
    const early = isOpen;

    await scratch[Symbol.asyncDispose]();

    expect(early).toBe(false);
    await (await second).scratch[Symbol.asyncDispose]();
  });
});
