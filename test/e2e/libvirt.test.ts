import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Address, Driver, Guest, Machine } from "../../src/provisioner/libvirt/driver.ts";
import { collectGarbage } from "../../src/provisioner/libvirt/gc.ts";
import { passStage, waitForBoot } from "../../src/provisioner/libvirt/guest-boot.ts";
import { type LibvirtDriver, openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { tinyGuest } from "../../src/provisioner/libvirt/tiny-guest.ts";
import { compileSources } from "../support/compile-sources.ts";
import { quietRun } from "../support/quiet-run.ts";
import { renderStrict } from "../support/strict-templates.ts";

const shell = promisify(execFile);
const uri = "qemu:///system";
const signal = new AbortController().signal;
const patience = { quietMs: 120_000, longestMs: 240_000 };
const run = quietRun();

let folder = "";
let driver: LibvirtDriver;

/** All of these tests' things that libvirt knows of, by its own tool: others may use it meanwhile. */
async function inventory(): Promise<readonly string[]> {
  const lists = ["list", "pool-list", "net-list"];
  const texts = await Promise.all(lists.map((list) => shell("virsh", ["-c", uri, list, "--all", "--name"])));
  const nvram = await readdir("/var/lib/libvirt/qemu/nvram").catch(() => []);
  const names = [...texts.flatMap(({ stdout }) => stdout.split("\n")), ...nvram];
  return names.filter((name) => name.startsWith("provision-e2e-"));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-e2e-"));
  await chmod(folder, 0o711);
  driver = await openDriver(uri, { render: renderStrict, cacheFolder: join(folder, "cache") });
});
afterEach(async () => {
  for (const domain of await driver.owned()) {
    if (domain.mark.run === folder) await driver.remove(domain);
  }
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  const left = await inventory();
  if (left.length > 0) throw new Error(`These tests left something behind: ${left.join(", ")}`);
});

async function machine(afterwards: "power-off" | "halt", changes: Partial<Machine> = {}): Promise<Machine> {
  const uuid = randomUUID();
  const disk = join(folder, `${uuid}.raw`);
  await writeFile(disk, tinyGuest(`I am ${uuid}`, afterwards));
  return {
    name: `provision-e2e-${uuid}`,
    uuid,
    cpus: 1,
    memoryMiB: 32,
    disks: [{ path: disk, format: "raw", cache: "unsafe" }],
    seed: undefined,
    cards: [],
    console: join(folder, `${uuid}.log`),
    firmware: "bios",
    mark: { role: "scratch", run: folder, pid: process.pid, files: [disk] },
    ...changes,
  };
}

/** Where KVM ran the probe of a few bytes, and not a firmware, once more without: as builds do. */
async function bootFirmware(wanted: Machine): Promise<{ guest: Guest; address: Address | undefined }> {
  const guest = await driver.boot(wanted, run);
  try {
    return { guest, address: (await waitForBoot(guest, run, patience))[0] };
  } catch (error) {
    await guest[Symbol.asyncDispose]();
    if (!(await driver.fallsBack(error, run))) throw error;
    return bootFirmware(wanted);
  }
}

describe("a guest", () => {
  it("prints on its console, is seen to power itself off, and leaves nothing when removed", async () => {
    const tiny = await machine("power-off");
    const guest = await driver.boot(tiny, run);

    const off = await guest.waitForOff(120_000, run);

    expect(off).toBe(true);
    expect(await guest.consoleTail()).toContain(`I am ${tiny.uuid}`);
    expect(await guest.consoleSize()).toBeGreaterThan(36);
    await guest[Symbol.asyncDispose]();
    await guest[Symbol.asyncDispose]();
    expect(await inventory()).toEqual([]);
    expect([...tiny.mark.files, tiny.console].filter((file) => existsSync(file))).toEqual([]);
  });

  it("appends to its console when it is started again", async () => {
    const tiny = await machine("power-off");
    await using guest = await driver.boot(tiny, run);
    await guest.waitForOff(120_000, run);

    await guest.start(run);
    await guest.waitForOff(120_000, run);

    expect((await guest.consoleTail()).match(/I am/g)).toHaveLength(2);
  });

  it("is under EFI without Secure Boot, asks the network for an address, and its NVRAM goes with it", async () => {
    const mac = `52:54:00:${randomBytes(3)
      .toString("hex")
      .replace(/(..)(?=.)/g, "$1:")}`;
    // Without a disk the firmware boots from the network: a real DHCP client, with no operating system.
    const { firmware: _, ...efi } = await machine("halt", {
      disks: [],
      cards: [{ network: "default", mac }],
      memoryMiB: 256,
    });

    const { guest, address } = await bootFirmware(efi);
    const [lease] = await driver.networks.leases("default", mac);

    expect(address?.address).toMatch(/^192\.168\.\d+\.\d+$/);
    expect(lease).toMatchObject({ mac, address: address?.address });
    expect(await inventory()).toContain(`${efi.name}_VARS.fd`);
    expect(await guest.consoleTail()).not.toMatch(/[^\P{Cc}\n\t]/u);
    await guest[Symbol.asyncDispose]();
    expect(await inventory()).toEqual([]);
  });

  it("is named with its stage and its console when it never gets an address", async () => {
    const mute = await machine("halt");
    await using guest = await driver.boot(mute, run);
    await passStage(guest, "console", async () => ((await guest.consoleSize()) > 36 ? true : undefined), {
      run,
      patience,
    });

    const booted = waitForBoot(guest, run, { quietMs: 1000, longestMs: 5000 });

    await expect(booted).rejects.toMatchObject({
      code: "GUEST_NEVER_BOOTED",
      facts: { stage: "address", console: expect.stringContaining(`I am ${mute.uuid}`) },
    });
  });

  it("is reported as dead, not as off, when its plug was pulled from outside", async () => {
    await using guest = await driver.boot(await machine("halt"), run);

    const [ending] = await Promise.allSettled([
      guest.waitForOff(60_000, run),
      shell("virsh", ["-c", uri, "destroy", guest.name]),
    ]);

    expect(ending).toMatchObject({
      status: "rejected",
      reason: { code: "GUEST_DIED", facts: { reason: "was switched off from outside" } },
    });
  });

  it("never takes the place of a domain that is there", async () => {
    const first = await machine("halt");
    await using guest = await driver.boot(first, run);
    const second = await machine("halt", { name: guest.name });

    await expect(driver.boot(second, run)).rejects.toMatchObject({
      code: "DOMAIN_EXISTS",
      facts: { ours: true },
    });
    expect(await guest.state()).toBe("running");
  });

  it("goes back to frozen disks and saved memory, and those files go with it", async () => {
    const tiny = await machine("halt");
    const guest = await driver.boot(tiny, run);
    const saved = join(folder, "memory.save");

    const fresh = await guest.snapshots.freezeDisks("before", { quiesce: false });
    await guest.snapshots.save(saved);
    const off = await guest.state();
    await guest.snapshots.restore(saved);

    expect(off).toBe("shut-off");
    expect(await guest.state()).toBe("running");
    expect(await guest.snapshots.list()).toEqual(["before"]);
    await guest.snapshots.forget("before");
    expect(await guest.snapshots.list()).toEqual([]);
    expect(fresh.map((file) => existsSync(file))).toEqual([true]);
    await guest[Symbol.asyncDispose]();
    expect([...fresh, saved].filter((file) => existsSync(file))).toEqual([]);
    expect(await inventory()).toEqual([]);
  });

  it("does not answer by its agent when it has none", async () => {
    await using guest = await driver.boot(await machine("halt"), run);

    expect(await guest.agent.ping()).toBe(false);
  });
});

describe("a path QEMU cannot get to", () => {
  it("is named with the folder that is closed", async () => {
    const closed = join(folder, "closed");
    await mkdir(closed, { mode: 0o700 });
    const disk = join(closed, "disk.raw");
    await writeFile(disk, tinyGuest("never", "halt"));

    const booted = driver.boot(await machine("halt", { disks: [{ path: disk, format: "raw" }] }), run);

    await expect(booted).rejects.toMatchObject({ code: "IMAGE_UNREADABLE", facts: { component: closed } });
  });
});

describe("a network", () => {
  it("that is missing is named with what to do", async () => {
    await expect(driver.startNetwork("nowhere")).rejects.toMatchObject({
      code: "NETWORK_MISSING",
      mend: expect.stringContaining("net-list"),
    });
  });

  it("keeps an address for a guest, replaces it, and forgets it", async () => {
    const mac = "52:54:00:AA:BB:CC";
    const { networks } = driver;
    const kept = async () =>
      (await networks.hosts("default")).filter((host) => host.mac === mac.toLowerCase());

    await networks.keepAddress("default", { mac, address: "192.168.122.250", name: "provision-e2e" });
    const first = await kept();
    await networks.keepAddress("default", { mac, address: "192.168.122.251" });
    const second = await kept();
    await networks.forgetAddress("default", mac);
    await networks.forgetAddress("default", mac);

    expect(first).toEqual([{ mac: mac.toLowerCase(), address: "192.168.122.250", name: "provision-e2e" }]);
    expect(second).toEqual([{ mac: mac.toLowerCase(), address: "192.168.122.251" }]);
    expect(await kept()).toEqual([]);
  });
});

function digest(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

describe("a volume", () => {
  it("comes back byte for byte when it was uploaded and downloaded", async () => {
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    const there = join(folder, "there.raw");
    const back = join(folder, "back.raw");
    await writeFile(there, bytes);
    const pool = `provision-e2e-${randomUUID()}`;
    const progress: number[] = [];
    const { volumes } = driver;
    await volumes.startPool(pool, join(folder, "pool"));

    try {
      await volumes.create(pool, { name: "disk", format: "raw", capacity: bytes.length });
      await volumes.upload(pool, "disk", there, { signal, onProgress: (sent) => progress.push(sent) });
      await volumes.download(pool, "disk", back, { signal });
      const [listed] = await volumes.list(pool);

      expect(digest(await readFile(back))).toBe(digest(bytes));
      expect(progress.at(-1)).toBe(bytes.length);
      expect(listed).toMatchObject({ name: "disk", capacity: bytes.length });
      expect(await volumes.removeByPath(join(folder, "pool", "disk"))).toBe(true);
      expect(await volumes.find(pool, "disk")).toBeUndefined();
    } finally {
      await volumes.stopPool(pool);
    }
  });

  it("leaves no file behind when its download is stopped", async () => {
    const pool = `provision-e2e-${randomUUID()}`;
    const { volumes } = driver;
    await volumes.startPool(pool, join(folder, "pool"));
    const stop = new AbortController();
    const back = join(folder, "back.raw");

    try {
      await volumes.create(pool, { name: "disk", format: "raw", capacity: 8 * 1024 * 1024 });
      const stopped = volumes.download(pool, "disk", back, {
        signal: stop.signal,
        onProgress: () => stop.abort(new Error("stopped here")),
      });

      await expect(stopped).rejects.toThrow("stopped here");
      expect([back, `${back}.partial`].filter((file) => existsSync(file))).toEqual([]);
      expect(await volumes.list(pool)).toHaveLength(1);
    } finally {
      await volumes.stopPool(pool);
    }
  });
});

describe("collectGarbage", () => {
  it("removes what a killed process left, and nothing of a living one", async () => {
    const built = await compileSources();
    const dead = await machine("halt");
    const alive = await machine("halt");
    await using guest = await driver.boot(alive, run);
    const child = spawn(process.execPath, ["--input-type=module", "-e", childSource(built, dead)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout.on("data", (data: Buffer) => data.includes("booted") && resolve());
        child.on("exit", (code) => reject(new Error(`The child ended with ${code}`)));
      });
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.on("exit", resolve));
      const early = await collectGarbage(onlyOurs(), { check: false, claims: driver.claims });
      child.kill("SIGKILL");
      await ended;

      const seen = await collectGarbage(onlyOurs(), { check: true, claims: driver.claims });
      const stillThere = existsSync(dead.console);
      const swept = await collectGarbage(onlyOurs(), { check: false, claims: driver.claims });
      const again = await collectGarbage(onlyOurs(), { check: false, claims: driver.claims });

      expect(early.found).toEqual([]);
      expect(seen.found.map(({ name }) => name).toSorted()).toEqual([dead.name, "early"].toSorted());
      expect(stillThere).toBe(true);
      expect(swept).toEqual(seen);
      expect(again).toEqual({ found: [], failed: [] });
      expect(await guest.state()).toBe("running");
      const files = [
        ...dead.mark.files,
        dead.console,
        join(folder, "overlay"),
        join(driver.claims, "early.json"),
      ];
      expect(files.filter((file) => existsSync(file))).toEqual([]);
      expect((await onlyOurs().owned()).map(({ uuid }) => uuid)).toEqual([alive.uuid]);
    } finally {
      child.kill("SIGKILL");
      await rm(built, { recursive: true, force: true });
    }
  });
});

/** The driver, blind to what others left: a test must not collect it. */
function onlyOurs(): Pick<Driver, "owned" | "remove"> {
  return {
    owned: async () => (await driver.owned()).filter(({ mark }) => mark.run === folder),
    remove: (domain) => driver.remove(domain),
  };
}

/** Boots a machine, claims a file, says so and waits to be killed. */
function childSource(built: string, dead: Machine): string {
  const options = { cacheFolder: join(folder, "cache") };
  return `
    import { readFileSync, writeFileSync } from "node:fs";
    import Handlebars from "handlebars";
    import { startRun } from ${JSON.stringify(join(built, "provisioner/core/run.js"))};
    import { openDriver } from ${JSON.stringify(join(built, "provisioner/libvirt/libvirt-driver.js"))};
    const render = (name, variables) =>
      Handlebars.compile(readFileSync("templates/" + name + ".hbs", "utf8"), { strict: true })(variables);
    const run = startRun({ report: () => {}, signal: new AbortController().signal, now: () => performance.now() });
    const driver = await openDriver("${uri}", { ...${JSON.stringify(options)}, render });
    await driver.claim("early", [${JSON.stringify(join(folder, "overlay"))}]);
    writeFileSync(${JSON.stringify(join(folder, "overlay"))}, "half");
    const machine = ${JSON.stringify({ ...dead, seed: null })};
    await driver.boot({ ...machine, seed: undefined, mark: { ...machine.mark, pid: process.pid } }, run);
    console.log("booted");
  `;
}
