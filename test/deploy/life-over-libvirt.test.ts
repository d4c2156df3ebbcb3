import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { RenderTemplate } from "../../src/provisioner/core/templates.ts";
import { type DeployedHost, findDeployed } from "../../src/provisioner/deploy/deployed-host.ts";
import { destroyHost } from "../../src/provisioner/deploy/destroy-host.ts";
import { rememberHost } from "../../src/provisioner/deploy/known-hosts-file.ts";
import { lookAtHosts } from "../../src/provisioner/deploy/look-at-hosts.ts";
import { isNothing, planDestroy } from "../../src/provisioner/deploy/plan-destroy.ts";
import { startHost } from "../../src/provisioner/deploy/start-host.ts";
import { stopHost } from "../../src/provisioner/deploy/stop-host.ts";
import { findUnfinished, removeUnfinished } from "../../src/provisioner/deploy/unfinished-hosts.ts";
import { findUnusedImages, removeImage } from "../../src/provisioner/deploy/unused-images.ts";
import type { Mark } from "../../src/provisioner/libvirt/driver.ts";
import { type LibvirtDriver, openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { someMachine } from "../support/machine.ts";
import { somePublicKey } from "../support/public-key.ts";
import { quietRun } from "../support/quiet-run.ts";
import { renderStrict } from "../support/strict-templates.ts";

/** libvirt's test hypervisor runs nothing but its own kind. */
const render: RenderTemplate = (name, variables) => renderStrict(name, { ...variables, domainType: "test" });

const pool = "default-pool";
const path = (name: string) => `/default-pool/${name}`;
const files = ["web.qcow2", "web.disk-data.qcow2", "web-seed.img", "web-console.log"];
const mac = "52:54:00:00:00:01";

let folder = "";
let knownHosts = "";
let driver: LibvirtDriver;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-life-"));
  knownHosts = join(folder, "known_hosts");
  driver = await openDriver("test:///default", { render, cacheFolder: folder });
});
afterEach(async () => {
  // Its world lasts as long as one connection to it is open.
  for (const { name, uuid } of await driver.hosts.all())
    if (name === "web") await driver.hosts.undefine(uuid);
  for (const { name } of await driver.volumes.list(pool)) await driver.volumes.remove(pool, name);
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function deployed(changes: Partial<Mark> = {}, ready = true): Promise<DeployedHost> {
  const capacity = 1024 ** 3;
  for (const name of files) await driver.volumes.create(pool, { name, format: "raw", capacity });
  await driver.networks.keepAddress("default", { mac, address: "192.168.122.77" });
  await rememberHost(knownHosts, "web", somePublicKey(), quietRun());
  const mark: Mark = {
    role: "host",
    run: "r",
    pid: 1,
    files: files.map(path),
    origin: { image: "base@1", sha256: "a".repeat(64), mode: "copy" },
    host: { pool, hostKey: "ssh-ed25519 AAAA", fqdn: undefined, users: ["alice"], ready },
    ...changes,
  };
  const machine = someMachine({
    name: "web",
    firmware: "bios",
    disks: [
      { path: path("web.qcow2"), format: "qcow2" },
      { path: path("web.disk-data.qcow2"), format: "qcow2" },
    ],
    seed: path("web-seed.img"),
    console: path("web-console.log"),
    cards: [{ network: "default", mac }],
    mark,
  });
  await driver.hosts.define(machine, "tcg");
  const host = await findDeployed(driver, "web");
  if (host === undefined) throw new Error("it is not there");
  return host;
}

const volumeNames = async () => (await driver.volumes.list(pool)).map(({ name }) => name).toSorted();

describe("a host at a hypervisor", () => {
  it("is started, listed, stopped by its button and by its plug", async () => {
    const host = await deployed();
    const run = quietRun();

    const started = [await startHost(driver, host, run), await startHost(driver, host, run)];
    const { hosts, foreign } = await lookAtHosts(driver, () => 0);
    const stopped = [
      await stopHost(driver, host, { force: false, run }),
      await stopHost(driver, host, { force: false, run }),
    ];
    await startHost(driver, host, run);
    const pulled = await stopHost(driver, host, { force: true, run });

    expect(started).toEqual(["started", "already running"]);
    expect(hosts).toMatchObject([
      { name: "web", state: "running", cpus: 2, users: ["alice"], image: "base@1" },
    ]);
    expect(foreign).toEqual(["test"]);
    expect(stopped).toEqual(["stopped", "already off"]);
    expect(pulled).toBe("plug pulled");
  });

  it("is destroyed: without --purge its disks stay, with it nothing does", async () => {
    const host = await deployed();
    const run = quietRun();
    await startHost(driver, host, run);
    const destroy = async (purge: boolean) => {
      const spec = {
        name: "web",
        pool,
        fqdn: undefined,
        networks: [],
        extraDisks: [{ name: "data", sizeGiB: 1 }],
      };
      const plan = await planDestroy({ name: "web", spec, purge, knownHosts }, driver);
      return { plan, ...(await destroyHost(plan, { driver, knownHosts, run })) };
    };

    const first = await destroy(false);
    const left = await volumeNames();
    const second = await destroy(true);
    const third = await destroy(true);

    expect([first.outcome, left]).toEqual(["destroyed", ["web.disk-data.qcow2", "web.qcow2"]]);
    expect(await driver.hosts.find("web")).toBeUndefined();
    expect((await driver.networks.hosts("default")).filter((each) => each.mac === mac)).toEqual([]);
    expect(await readFile(knownHosts, "utf8")).toBe("");
    expect([second.outcome, second.removed.length]).toEqual(["leftovers removed", 2]);
    expect(await volumeNames()).toEqual([]);
    expect([third.outcome, isNothing(third.plan)]).toEqual(["nothing there", true]);
  });

  it("is left alone when it is not ours", async () => {
    const plan = planDestroy({ name: "test", spec: undefined, purge: true, knownHosts }, driver);

    await expect(plan).rejects.toMatchObject({ code: "DOMAIN_FOREIGN", exitCode: 4 });
    expect(await driver.hosts.find("test")).toMatchObject({ state: "running" });
  });

  it("that was never done goes when its maker is dead, and the image that nobody needs any more too", async () => {
    await deployed({ owner: { pid: 1, machine: "m", boot: "b", started: "0" } }, false);
    const image = { name: "provision-image-1.qcow2", format: "raw", capacity: 1024 } as const;
    await driver.volumes.create(pool, image);

    const living = await findUnfinished(driver, async () => true);
    const dead = await findUnfinished(driver, async () => false);
    for (const each of dead) await removeUnfinished(driver, each);
    const images = await findUnusedImages(driver, Date.now());
    for (const each of images) await removeImage(driver, each);

    expect(living).toEqual([]);
    expect(dead.map(({ host }) => host.name)).toEqual(["web"]);
    expect(images.map(({ volumes }) => volumes)).toEqual([["provision-image-1.qcow2"]]);
    expect(await driver.hosts.find("web")).toBeUndefined();
  });
});
