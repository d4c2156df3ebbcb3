import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { RenderTemplate } from "../../src/provisioner/core/templates.ts";
import type { Mark } from "../../src/provisioner/libvirt/driver.ts";
import { type LibvirtDriver, openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { someMachine } from "../support/machine.ts";
import { quietRun } from "../support/quiet-run.ts";
import { renderStrict } from "../support/strict-templates.ts";

/** libvirt's test hypervisor runs nothing but its own kind. */
const render: RenderTemplate = (name, variables) => renderStrict(name, { ...variables, domainType: "test" });

const mark: Mark = {
  role: "host",
  run: "r",
  pid: process.pid,
  files: ["/pool/web.qcow2"],
  origin: { image: "base@1", sha256: "a".repeat(64), mode: "copy" },
  host: {
    pool: "default-pool",
    hostKey: "ssh-ed25519 AAAA",
    fqdn: undefined,
    users: ["alice"],
    ready: false,
  },
};
const machine = (changes: Parameters<typeof someMachine>[0] = {}) =>
  someMachine({ name: "web", firmware: "bios", console: "/pool/web-console.log", mark, ...changes });

let folder = "";
let driver: LibvirtDriver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-hosts-"));
  driver = await openDriver("test:///default", { render, cacheFolder: folder });
});
afterEach(async () => {
  for (const { name, uuid } of await driver.hosts.all())
    if (name === "web") await driver.hosts.undefine(uuid);
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("a host's domain", () => {
  it("is found by its name, with its mark and what it is", async () => {
    const wanted = machine();

    await driver.hosts.define(wanted, "tcg");

    expect(await driver.hosts.find("web")).toMatchObject({
      name: "web",
      uuid: wanted.uuid,
      state: "shut-off",
      autostart: false,
      mark: { role: "host", host: { pool: "default-pool", users: ["alice"], ready: false } },
      facts: { cpus: 2, memoryMiB: 512, console: "/pool/web-console.log" },
    });
    expect(await driver.hosts.find("nobody")).toBeUndefined();
  });

  it("is told from one that is not ours", async () => {
    expect(await driver.hosts.find("test")).toMatchObject({ state: "running", mark: undefined });
  });

  it("is defined anew under its own UUID, and what is written down of it changes by itself", async () => {
    const { uuid } = machine();
    await driver.hosts.define(machine({ uuid }), "tcg");

    await driver.hosts.define(machine({ uuid, cpus: 4, memoryMiB: 1024 }), "tcg");
    await driver.hosts.setAutostart(uuid, true);
    await driver.hosts.setMark(uuid, { ...mark, run: "other" });

    expect(await driver.hosts.find("web")).toMatchObject({
      uuid,
      autostart: true,
      mark: { run: "other" },
      facts: { cpus: 4, memoryMiB: 1024 },
    });
  });

  it("starts, is shut down, and is gone when it is forgotten", async () => {
    await driver.hosts.define(machine(), "tcg");
    const found = await driver.hosts.find("web");
    if (found === undefined) throw new Error("it is not there");
    const guest = driver.hosts.guest(found);

    await guest.start(quietRun());
    const up = await guest.state();
    await guest[Symbol.asyncDispose]();
    const still = await guest.state();
    await guest.shutDown(quietRun());
    const off = await guest.state();
    await driver.hosts.undefine(found.uuid);

    expect([up, still, off]).toEqual(["running", "running", "shut-off"]);
    expect(await driver.hosts.find("web")).toBeUndefined();
  });

  it("has its console in its pool: none before the first boot", async () => {
    await driver.hosts.define(machine(), "tcg");
    const found = await driver.hosts.find("web");
    if (found === undefined) throw new Error("it is not there");
    const guest = driver.hosts.guest(found);

    expect([await guest.consoleSize(), await guest.consoleTail()]).toEqual([0, ""]);
  });
});

describe("a pool", () => {
  it("is opened by its name, and gives its folder", async () => {
    expect(await driver.pools.open("default-pool")).toBe("/default-pool");
  });

  it("that is missing is an error with the mend", async () => {
    await expect(driver.pools.open("ssd")).rejects.toMatchObject({
      code: "POOL_MISSING",
      mend: expect.stringContaining("pool-list") as unknown,
    });
  });

  it("is made where it is libvirt's usual one", async () => {
    const first = await driver.pools.open("default");

    expect([first, await driver.pools.open("default")]).toEqual([
      "/var/lib/libvirt/images",
      "/var/lib/libvirt/images",
    ]);
  });

  it("holds copies of its volumes, which stand on nothing", async () => {
    const capacity = 1024 ** 3;
    await driver.volumes.create("default-pool", { name: "image", format: "raw", capacity });

    const copy = await driver.volumes.copy("default-pool", "image", {
      name: "copy",
      format: "raw",
      capacity,
    });

    expect(copy).toMatchObject({ name: "copy", path: "/default-pool/copy", capacity, backing: undefined });
  });
});

describe("a PCI device", () => {
  it("that is not there cannot be handed to a guest", async () => {
    await expect(driver.devices.checkPassable("0000:01:00.0")).rejects.toMatchObject({
      code: "DEVICE_UNFIT",
      facts: { lacks: "device" },
    });
  });
});
