import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { RenderTemplate } from "../../src/provisioner/core/templates.ts";
import { openConnection } from "../../src/provisioner/libvirt/connection.ts";
import type { Machine } from "../../src/provisioner/libvirt/driver.ts";
import { type LibvirtDriver, openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { snapshotsOf } from "../../src/provisioner/libvirt/snapshots.ts";
import { someMachine } from "../support/machine.ts";
import { quietRun } from "../support/quiet-run.ts";
import { renderStrict } from "../support/strict-templates.ts";

const uri = "test:///default";
const signal = new AbortController().signal;
/** libvirt's test hypervisor runs nothing but its own kind. */
const render: RenderTemplate = (name, variables) => renderStrict(name, { ...variables, domainType: "test" });

let folder = "";
let driver: LibvirtDriver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-driver-"));
  driver = await openDriver(uri, { render, cacheFolder: folder });
});
afterEach(async () => {
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const machine = (changes: Partial<Machine> = {}) =>
  someMachine({ console: join(folder, "console.log"), firmware: "bios", ...changes });

describe("boot", () => {
  it("starts a domain that bears our mark, and disposing removes it", async () => {
    const wanted = machine();

    const guest = await driver.boot(wanted, quietRun());
    const owned = await driver.owned();
    const running = await guest.state();
    await guest[Symbol.asyncDispose]();

    expect(running).toBe("running");
    expect(owned).toEqual([
      {
        name: wanted.name,
        uuid: wanted.uuid,
        state: "running",
        mark: {
          ...wanted.mark,
          files: [wanted.console, "/images/disk.qcow2"],
          owner: expect.objectContaining({ pid: process.pid, started: expect.stringMatching(/^\d+$/) }),
        },
      },
    ]);
    expect(await driver.owned()).toEqual([]);
    expect(existsSync(wanted.console)).toBe(false);
  });

  it("has as many processors as the user says for all guests", async () => {
    await using other = await openDriver(uri, { render, cacheFolder: folder, cpus: 3 });
    const wanted = machine({ cpus: 2 });
    await using _guest = await other.boot(wanted, quietRun());

    expect((await driver.hosts.find(wanted.name))?.facts.cpus).toBe(3);
  });

  it("leaves nothing when the domain cannot be defined", async () => {
    const wanted = machine({ memoryMiB: 0 });

    await expect(driver.boot(wanted, quietRun())).rejects.toMatchObject({ code: "LIBVIRT_FAILED" });
    expect(await driver.owned()).toEqual([]);
    expect(existsSync(wanted.console)).toBe(false);
  });

  it("refuses a name that somebody else's domain has, and does not touch that", async () => {
    const booted = driver.boot(machine({ name: "test" }), quietRun());

    await expect(booted).rejects.toMatchObject({
      code: "DOMAIN_EXISTS",
      facts: { domain: "test", ours: false },
    });
    expect((await driver.owned()).map(({ name }) => name)).toEqual([]);
  });

  it("refuses a UUID that is taken", async () => {
    await using guest = await driver.boot(machine(), quietRun());

    const again = driver.boot(machine({ uuid: guest.uuid, name: "another" }), quietRun());

    await expect(again).rejects.toMatchObject({ code: "DOMAIN_EXISTS", facts: { ours: true } });
  });

  it("says which accelerator it uses and why", async () => {
    const run = quietRun();

    await using guest = await driver.boot(machine(), run);

    expect(guest.accelerator).toBe("tcg");
    expect(run.events).toContainEqual({
      kind: "note",
      level: "info",
      text: "Guests run under TCG: the hypervisor offers no KVM",
    });
  });

  it("names a network that is not there", async () => {
    const booted = driver.boot(
      machine({ cards: [{ network: "nowhere", mac: "52:54:00:00:00:01" }] }),
      quietRun(),
    );

    await expect(booted).rejects.toMatchObject({ code: "NETWORK_MISSING", facts: { network: "nowhere" } });
  });
});

describe("remove", () => {
  it("never removes a domain without our mark", async () => {
    const uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"; // the test hypervisor's own domain
    const mark = machine().mark;

    await expect(driver.remove({ uuid, mark })).rejects.toMatchObject({
      code: "DOMAIN_FOREIGN",
      facts: { domain: "test" },
    });
  });
});

describe("a guest", () => {
  it("is shut down by its power button and started again", async () => {
    const run = quietRun();
    await using guest = await driver.boot(machine(), run);

    await guest.shutDown(run);
    const off = [await guest.state(), await guest.waitForOff(1000, run)];
    await guest.shutDown(run);
    await guest.start(run);
    await guest.start(run);

    expect(off).toEqual(["shut-off", true]);
    expect(await guest.state()).toBe("running");
  });

  it("is not off when the deadline passes", async () => {
    const run = quietRun();
    await using guest = await driver.boot(machine(), run);

    expect(await guest.waitForOff(1, run)).toBe(false);
  });

  it("stays when it is kept", async () => {
    const run = quietRun();
    const guest = await driver.boot(machine(), run);
    guest.keep();

    await guest[Symbol.asyncDispose]();

    expect(await guest.state()).toBe("running");
    const [owned] = await driver.owned();
    if (owned !== undefined) await driver.remove(owned);
  });

  it("was removed by somebody else when its domain is gone", async () => {
    const run = quietRun();
    await using guest = await driver.boot(machine(), run);
    const [owned] = await driver.owned();
    if (owned !== undefined) await driver.remove(owned);

    expect(await guest.trouble()).toBe("was removed by somebody else");
    await expect(guest.start(run)).rejects.toMatchObject({ code: "GUEST_DIED" });
  });

  it("has the addresses that are on its own MAC", async () => {
    await using guest = await driver.boot(machine(), quietRun());
    await using other = await driver.boot(
      machine({ cards: [{ network: "default", mac: "52:54:00:00:00:99" }], console: join(folder, "o") }),
      quietRun(),
    );

    const addresses = [await guest.addresses(), await other.addresses()];

    expect(addresses.flat().map(({ source }) => source)).toContain("lease");
    expect(addresses.flat().every(({ address }) => /^192\.168\.122\.\d+$/.test(address))).toBe(true);
  });

  it("keeps its memory in a file and goes on from it", async () => {
    const run = quietRun();
    await using guest = await driver.boot(machine(), run);
    const saved = join(folder, "saved");

    await guest.snapshots.save(saved);
    const off = await guest.state();
    const [owned] = await driver.owned();
    await guest.snapshots.restore(saved);

    expect(off).toBe("shut-off");
    expect(owned?.mark.files).toContain(saved);
    expect(await guest.state()).toBe("running");
  });
});

describe("snapshots", () => {
  it("are taken, listed, gone back to and forgotten", async () => {
    const run = quietRun();
    await using guest = await driver.boot(machine(), run);

    await guest.snapshots.take("one");
    await guest.snapshots.take("two <&>");
    const names = await guest.snapshots.list();
    await guest.shutDown(run);
    await guest.snapshots.revert("one");
    const back = await guest.state();
    await guest.snapshots.forget("one");
    await guest.snapshots.forget("one");

    expect(names.toSorted()).toEqual(["one", "two <&>"]);
    expect(back).toBe("running");
    expect(await guest.snapshots.list()).toEqual(["two <&>"]);
  });

  it("fail aloud when there is no such domain", async () => {
    await using connection = await openConnection(uri);

    await expect(snapshotsOf(connection, machine().uuid).list()).rejects.toThrow(/no domain/);
  });
});

describe("networks", () => {
  it("are listed, and started when they are off", async () => {
    await using connection = await openConnection(uri);
    await connection.use(async (on) => {
      const network = await on.call("virNetworkLookupByName", on.connection, "default");
      await on.call("virNetworkDestroy", on.take("virNetworkFree", network));
    });
    const off = await driver.networks.list();

    await driver.startNetwork("default");
    await driver.startNetwork("default");

    expect(off).toEqual([{ name: "default", active: false }]);
    expect(await driver.networks.list()).toEqual([{ name: "default", active: true }]);
  });

  it("keep addresses for guests", async () => {
    const host = { mac: "52:54:00:ab:cd:ef", address: "192.168.122.77", name: "web01" };

    await driver.networks.keepAddress("default", host);
    const kept = await driver.networks.hosts("default");
    await driver.networks.forgetAddress("default", host.mac.toUpperCase());

    expect(kept).toContainEqual(host);
    expect(await driver.networks.hosts("default")).not.toContainEqual(host);
  });
});

describe("volumes", () => {
  it("are made, found, listed and removed", async () => {
    const { volumes } = driver;
    const pool = "default-pool";

    const made = await volumes.create(pool, { name: "a&b.raw", format: "raw", capacity: 4096 });
    const listed = await volumes.list(pool);
    await volumes.remove(pool, "a&b.raw");
    await volumes.remove(pool, "a&b.raw");

    expect(made).toMatchObject({ name: "a&b.raw", capacity: 4096 });
    expect(listed).toContainEqual(made);
    expect(await volumes.find(pool, "a&b.raw")).toBeUndefined();
    expect(await volumes.removeByPath(made.path)).toBe(false);
    expect((await volumes.pools()).map(({ name, active }) => [name, active])).toContainEqual([pool, true]);
  });

  it("cannot be in a pool that is not there", async () => {
    await expect(driver.volumes.list("nowhere")).rejects.toMatchObject({ facts: { code: 49 } });
  });

  it("leave no local file when a download fails", async () => {
    const target = join(folder, "download");

    await expect(
      driver.volumes.download("default-pool", "nothing", target, { signal }),
    ).rejects.toMatchObject({ facts: { code: 50 } });
    expect([target, `${target}.partial`].filter((file) => existsSync(file))).toEqual([]);
  });
});

describe("borrow", () => {
  it("gives a domain of somebody else, to go back with, and knows no other", async () => {
    const uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f";

    const guest = await driver.borrow(uuid);
    await guest?.snapshots.take("before");
    const taken = await guest?.snapshots.list();
    await guest?.snapshots.revert("before");
    await guest?.snapshots.forget("before");

    expect([guest?.name, taken, await guest?.snapshots.list()]).toEqual(["test", ["before"], []]);
    expect(await driver.borrow("00000000-0000-4000-8000-000000000000")).toBeUndefined();
    expect(await driver.owned()).toEqual([]);
  });

  it("finds nothing on a console that is no file", async () => {
    const guest = await driver.borrow("6695eb01-f6a4-8304-79aa-97f2502e193f");

    expect([await guest?.consoleTail(), await guest?.consoleSize()]).toEqual(["", 0]);
  });
});
