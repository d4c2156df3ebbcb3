import { existsSync } from "node:fs";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { digestOf } from "../../src/provisioner/core/task.ts";
import type { Base } from "../../src/provisioner/image/base-image.ts";
import { acceleratorFailure, isAcceleratorFailure } from "../../src/provisioner/libvirt/accelerator.ts";
import { type LibvirtScratch, openLibvirtScratch } from "../../src/provisioner/scratch/libvirt-scratch.ts";
import { filesIn, readRecord } from "../../src/provisioner/scratch/scratch-record.ts";
import { emptyMachine } from "../support/fake-host.ts";
import { type FakeWorkshop, fakeWorkshop } from "../support/fake-workshop.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let shop: FakeWorkshop;
let machinesDir: string;
let base: Base;
let connected: string[];
let refuses: ProvisionError | undefined;

beforeEach(async () => {
  const folder = await scratchFolder();
  shop = await fakeWorkshop(folder);
  base = await shop.request().prepareBase(recordedRun().run);
  machinesDir = join(folder, "machines");
  connected = [];
  refuses = undefined;
});

async function open(more: Partial<LibvirtScratch> = {}, controller = new AbortController()) {
  const { run, events } = recordedRun(controller.signal);
  const connect: LibvirtScratch["connect"] = async ({ name }) => {
    if (refuses) throw refuses;
    connected.push(name);
    const host = emptyMachine();
    host.program("date", ([, , time = ""]) => void clocks.push(time));
    return host;
  };
  const plan = { driver: shop.driver, shop, base, machinesDir, fresh: false, connect, ...more };
  const machine = await openLibvirtScratch(plan, run);
  const notes = events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
  return { machine, run, notes };
}

const clocks: string[] = [];
/** Another hypervisor than the usual one is in the name. */
const recordFile = () => join(machinesDir, `debian-13-${digestOf("fake:///system").slice(0, 8)}.json`);
const domains = () => [...shop.driver.domains.keys()];

describe("a scratch machine", () => {
  it("is made when there is none, put aside, and restored before anybody works on it", async () => {
    const { machine } = await open();
    await machine[Symbol.asyncDispose]();

    const [name] = domains();
    const record = await readRecord(recordFile());
    const { pristine, memory } = filesIn(record?.folder ?? "");
    expect(shop.driver.journal).toEqual([
      `save ${name}`,
      `power off ${name}`,
      `restore ${name}`,
      `power off ${name}`,
    ]);
    expect([existsSync(pristine), existsSync(memory)]).toEqual([true, true]);
    expect(shop.driver.domains.get(name ?? "")?.mark).toMatchObject({ role: "scratch", kept: recordFile() });
    expect((await stat(recordFile())).mode & 0o777).toBe(0o600);
  });

  it("is found again by the next run, which boots nothing", async () => {
    await (await open()).machine[Symbol.asyncDispose]();

    const { machine } = await open();
    await machine[Symbol.asyncDispose]();

    expect(shop.builders).toHaveLength(1);
    expect(new Set(connected)).toEqual(new Set(domains()));
    expect(shop.driver.networks).toEqual(["default", "default", "default"]);
  });

  it("is reset once for all who have not looked at its host, and anew for who has", async () => {
    const { machine, run } = await open();
    const restored = () => shop.driver.journal.filter((line) => line.startsWith("restore")).length;

    await machine.reset(run);
    const untouched = restored();
    const before = machine.host;
    await machine.reset(run);

    expect([untouched, restored()]).toEqual([1, 2]);
    expect(machine.host).not.toBe(before);
    await machine[Symbol.asyncDispose]();
  });

  it("gets the time of this machine after each reset", async () => {
    clocks.length = 0;
    await (await open()).machine[Symbol.asyncDispose]();

    expect(clocks.map((time) => /^--set=@\d+\.\d{3}$/.test(time))).toEqual([true]);
    expect(Math.abs(Number(clocks[0]?.slice("--set=@".length)) - Date.now() / 1000)).toBeLessThan(60);
  });

  it("starts again from the disk that its memory knows", async () => {
    const { machine, run } = await open();
    const record = await readRecord(recordFile());
    const { disk } = filesIn(record?.folder ?? "");
    await writeFile(disk, "what a task did");
    expect(machine.host.name).toBe("root@fake:22");

    await machine.reset(run);

    expect((await stat(disk)).size).toBeGreaterThan(100_000);
    await machine[Symbol.asyncDispose]();
  });

  it("stays up when it is kept, and is found all the same", async () => {
    const { machine } = await open();
    machine.keep();
    await machine[Symbol.asyncDispose]();

    expect(shop.driver.journal.at(-1)).toMatch(/^restore/);
    expect(machine.sshLine).toMatch(/^ssh -i .*key.* visitor@192\.0\.2\.1$/);
    await (await open()).machine[Symbol.asyncDispose]();
    expect(shop.builders).toHaveLength(1);
  });
});

describe("a machine that was kept", () => {
  beforeEach(async () => {
    await (await open()).machine[Symbol.asyncDispose]();
  });

  it.each([
    ["a fresh one is wanted", async () => ({ fresh: true }), /a fresh one is wanted/],
    [
      "its base was made anew",
      async () => ({ base: { ...base, key: "sha256:2" } }),
      /debian-13 was made anew/,
    ],
    [
      "another network is wanted",
      async () => ({ shop: { ...shop, network: "lab" } }),
      /on the network default/,
    ],
    [
      "libvirt forgot it",
      async () => {
        shop.driver.domains.clear();
        return {};
      },
      /libvirt knows it no longer/,
    ],
  ])("makes place for a new one when %s", async (_why, changes, says) => {
    const before = (await readRecord(recordFile()))?.uuid;

    const { machine, notes } = await open(await changes());
    await machine[Symbol.asyncDispose]();

    expect(shop.builders).toHaveLength(2);
    expect((await readRecord(recordFile()))?.uuid).not.toBe(before);
    expect(notes).toContainEqual(expect.stringMatching(says));
    expect(await readdir(machinesDir)).toHaveLength(2);
    expect(domains()).toHaveLength(1);
  });

  it("makes place for a new one when its record cannot be read", async () => {
    await writeFile(recordFile(), "{");

    await (await open()).machine[Symbol.asyncDispose]();

    expect(shop.builders).toHaveLength(2);
    expect(await readRecord(recordFile())).toBeDefined();
  });

  it("makes place for a new one when it does not come back", async () => {
    refuses = new ProvisionError("SSH_NOT_UP", {
      host: "scratch",
      stage: "tcp",
      seconds: 120,
      reason: "no answer",
      tail: "",
    });
    const connect: LibvirtScratch["connect"] = async () => {
      const error = refuses;
      refuses = undefined;
      if (error) throw error;
      return emptyMachine();
    };

    const { machine, notes } = await open({ connect });

    expect(notes.at(-1)).toMatch(/is not used again: .*no answer/s);
    expect([shop.builders.length, domains().length]).toEqual([2, 1]);
    await machine[Symbol.asyncDispose]();
  });

  it("is another one for each base", async () => {
    const other = await open({ base: { ...base, name: "debian-12" } });
    await other.machine[Symbol.asyncDispose]();

    expect(domains()).toHaveLength(2);
    expect((await readdir(machinesDir)).filter((name) => name.endsWith(".json"))).toEqual([
      expect.stringMatching(/^debian-12-/),
      expect.stringMatching(/^debian-13-/),
    ]);
  });

  it("stays as it is, switched off, when the run that takes it is stopped", async () => {
    const controller = new AbortController();
    const stopping = open(
      {
        connect: async () => {
          controller.abort();
          throw new Error("stopped");
        },
      },
      controller,
    );

    await expect(stopping).rejects.toMatchObject({ name: "AbortError" });
    expect(shop.driver.journal.at(-1)).toMatch(/^power off/);
    await (await open()).machine[Symbol.asyncDispose]();
    expect(shop.builders).toHaveLength(1);
  });
});

it("leaves nothing when the run is stopped while the machine is made", async () => {
  const controller = new AbortController();
  const bootGuest: FakeWorkshop["bootGuest"] = async (plan) => {
    const booted = await shop.bootGuest(plan);
    controller.abort();
    return {
      ...booted,
      guest: { ...booted.guest, saveMemory: async () => controller.signal.throwIfAborted() },
    };
  };

  await expect(open({ shop: { network: "default", bootGuest } }, controller)).rejects.toMatchObject({
    name: "AbortError",
  });

  expect(domains()).toEqual([]);
  expect(await readdir(machinesDir)).toEqual([]);
});

it("is made once more, from its disk on, when its accelerator stopped it", async () => {
  let boots = 0;
  const bootGuest: FakeWorkshop["bootGuest"] = async (plan) => {
    boots += 1;
    if (boots > 1) return shop.bootGuest(plan);
    // What goes with a guest that is not kept.
    for (const file of plan.kept?.files ?? []) await rm(file, { recursive: true, force: true });
    throw new ProvisionError("GUEST_DIED", { guest: "scratch", reason: acceleratorFailure, console: "" });
  };
  shop.driver.fallsBack = async (error) => isAcceleratorFailure(error);

  const { machine } = await open({ shop: { network: "default", bootGuest } });
  await machine[Symbol.asyncDispose]();

  expect(boots).toBe(2);
  expect(existsSync(filesIn((await readRecord(recordFile()))?.folder ?? "").pristine)).toBe(true);
});

it("is one run's at a time", async () => {
  const { machine } = await open();
  let isOpen = false;
  const second = open().then((opened) => {
    isOpen = true;
    return opened;
  });
  await new Promise((resolve) => setImmediate(resolve));
  const early = isOpen;

  await machine[Symbol.asyncDispose]();

  expect(early).toBe(false);
  await (await second).machine[Symbol.asyncDispose]();
});
