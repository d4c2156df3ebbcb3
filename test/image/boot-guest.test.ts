import { readdir } from "node:fs/promises";

import { beforeEach, describe, expect, it } from "vitest";

import { startRun } from "../../src/provisioner/core/run.ts";
import { bootGuest, type GuestPlan } from "../../src/provisioner/image/boot-guest.ts";
import { acceleratorFailure, isAcceleratorFailure } from "../../src/provisioner/libvirt/accelerator.ts";
import type { Machine } from "../../src/provisioner/libvirt/driver.ts";
import { FakeDriver } from "../support/fake-driver.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let driver: FakeDriver;
let plan: Omit<GuestPlan, "run">;

beforeEach(async () => {
  driver = new FakeDriver();
  plan = {
    driver,
    role: "builder",
    network: "default",
    folder: await scratchFolder(),
    disk: "/images/disk.qcow2",
    machine: { cpus: 1, memoryMiB: 512 },
    user: "builder",
    hostName: "builder",
  };
});

/** A run on a clock that goes ten minutes with each look. */
function hurriedRun() {
  const { run, events } = recordedRun();
  let now = 0;
  const { report, signal } = run;
  return { run: startRun({ report, signal, now: () => (now += 600_000) }), events };
}

it("boots once more, and leaves nothing of the first, when its accelerator stopped it", async () => {
  const booted: string[] = [];
  const boot = driver.boot.bind(driver);
  driver.boot = async (machine) => {
    booted.push(machine.name);
    return boot(machine);
  };
  driver.guests = { trouble: async () => acceleratorFailure, addresses: async () => [] };
  driver.fallsBack = async (error) => isAcceleratorFailure(error) && booted.length === 1;

  const ended = bootGuest({ ...plan, keepOnError: true, run: hurriedRun().run });

  await expect(ended).rejects.toMatchObject({ code: "GUEST_DIED" });
  expect(new Set(booted).size).toBe(2);
  expect(driver.domains.size).toBe(0);
});

it("leaves it to whoever keeps the guest to boot once more: its disk went with the first", async () => {
  driver.guests = { trouble: async () => acceleratorFailure, addresses: async () => [] };
  const asked: unknown[] = [];
  driver.fallsBack = async (error) => asked.push(error) > 0;
  const kept = { record: "/cache/machine.json", files: [] };

  const ended = bootGuest({ ...plan, kept, run: hurriedRun().run });

  await expect(ended).rejects.toMatchObject({ code: "GUEST_DIED" });
  expect(asked).toEqual([]);
});

describe("a guest that never comes to a login", () => {
  it("is named with its stage and its console's end, and is gone", async () => {
    driver.guests = { addresses: async () => [], consoleTail: async () => "Kernel panic - not syncing" };

    await expect(bootGuest({ ...plan, run: hurriedRun().run })).rejects.toMatchObject({
      code: "GUEST_NEVER_BOOTED",
      exitCode: 4,
      message: expect.stringMatching(/stage "address".*\nIts console ended with:\nKernel panic/s) as string,
    });
    expect(driver.domains.size).toBe(0);
  });

  it("stays up with its console when that is asked for", async () => {
    driver.guests = { addresses: async () => [] };
    const { run, events } = hurriedRun();

    await expect(bootGuest({ ...plan, keepOnError: true, run })).rejects.toMatchObject({
      code: "GUEST_NEVER_BOOTED",
    });

    const [machine] = driver.domains.values() as Iterable<Machine>;
    expect(events).toContainEqual({
      kind: "note",
      level: "warning",
      text: `${machine?.name} stays up as asked; its console is in ${machine?.console}`,
    });
  });

  it("is gone when the run is stopped while it boots, whatever was asked", async () => {
    driver.guests = { addresses: async () => [] };
    const stop = new AbortController();
    const { run } = recordedRun(stop.signal, ({ kind }) => {
      if (kind === "step-progress") stop.abort();
    });

    await expect(bootGuest({ ...plan, keepOnError: true, run })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(driver.domains.size).toBe(0);
  });

  it("has all it brought along in its mark, for `gc`", async () => {
    driver.guests = { trouble: async () => "crashed", addresses: async () => [] };
    let mark: readonly string[] = [];
    const boot = driver.boot.bind(driver);
    driver.boot = (machine) => {
      mark = machine.mark.files;
      return boot(machine);
    };

    await expect(bootGuest({ ...plan, run: recordedRun().run })).rejects.toMatchObject({
      code: "GUEST_DIED",
    });

    const made = await readdir(plan.folder);
    expect(made.length).toBeGreaterThan(0);
    expect(made.every((name) => mark.includes(`${plan.folder}/${name}`))).toBe(true);
  });
});
