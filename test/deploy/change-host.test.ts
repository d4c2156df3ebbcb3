import { describe, expect, it } from "vitest";

import { deployHost, planHost } from "../../src/provisioner/deploy/deploy-host.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { type DeploymentChanges, type Lab, leftIn, openLab, someImage } from "../support/fake-deployment.ts";
import { someCard } from "../support/some-host.ts";

const GIB = 1024 ** 3;
const fixed = [someCard({ dhcp4: false, addresses: ["192.0.2.10/24"] })];
const touching =
  /define|setMark|setAutostart|powerOff|undefine|create|copy|grow|upload|remove|Address|start|shutDown/;

/** A host that was deployed; what follows is all that is in the journal. */
async function deployed(changes: Partial<HostSpec> = {}, more: DeploymentChanges = {}): Promise<Lab> {
  const lab = await openLab();
  await deployHost(lab.deploy(changes, more));
  lab.hypervisor.calls.length = 0;
  lab.events.length = 0;
  lab.guests.connections = 0;
  return lab;
}

const touched = ({ hypervisor }: Lab) => hypervisor.calls.filter((call) => touching.test(call));
const machineOf = ({ hypervisor }: Lab) => hypervisor.domains.get("web")?.machine;

describe("a deploy of a host that is as wanted", () => {
  it("costs a few looks, one connection and one flight, and touches nothing", async () => {
    const lab = await deployed();

    const done = await deployHost(lab.deploy());

    expect(done).toMatchObject({ machine: "as wanted", changes: [], tasks: { changed: 0, flights: 1 } });
    expect(touched(lab)).toEqual([]);
    expect(lab.guests).toMatchObject({ connections: 1, open: 0 });
    expect(lab.hypervisor.calls.filter((call) => call === "fly")).toHaveLength(1);
    expect(lab.hypervisor.calls.indexOf("reach")).toBeLessThanOrEqual(5);
  });

  it("looks once more where an address is kept for it, and leaves that alone", async () => {
    const lab = await deployed({ networks: fixed });

    await deployHost(lab.deploy({ networks: fixed }));

    expect(touched(lab)).toEqual([]);
    expect(lab.hypervisor.calls.indexOf("reach")).toBeLessThanOrEqual(5);
  });

  it("needs no image", async () => {
    const image = () => Promise.reject(new Error("there are no images here"));
    const version = { kind: "spec", name: "base", version: "20260131-0a1b2c3d" } as const;
    const lab = await deployed();
    const byVersion = await deployed({ image: version });

    expect(await deployHost(lab.deploy({}, { image }))).toMatchObject({ machine: "as wanted" });
    expect(await deployHost(byVersion.deploy({ image: version }, { image }))).toMatchObject({
      machine: "as wanted",
    });
  });

  it("only says that there is a newer image", async () => {
    const lab = await deployed();
    lab.image = await someImage(lab.folder, "base@20260201-ffffffff");

    const done = await deployHost(lab.deploy());

    expect(done.machine).toBe("as wanted");
    expect(touched(lab)).toEqual([]);
    expect(lab.events).toContainEqual(
      expect.objectContaining({ kind: "note", text: expect.stringContaining("base@20260201") as string }),
    );
  });
});

describe("a deploy of a host that differs", () => {
  it.each<[what: string, wanted: Partial<HostSpec>, calls: readonly string[]]>([
    ["autostart", { autostart: false }, ["hosts.setAutostart web"]],
    ["processors", { cpus: 4 }, ["guest.shutDown", "hosts.define web tcg", "guest.start"]],
    ["memory", { memoryMiB: 4096 }, ["guest.shutDown", "hosts.define web tcg", "guest.start"]],
    [
      "a larger disk",
      { disk: { sizeGiB: 9, mode: "overlay" } },
      ["guest.shutDown", "volumes.grow default web.qcow2", "hosts.define web tcg", "guest.start"],
    ],
    [
      "an extra disk",
      { extraDisks: [{ name: "data", sizeGiB: 2 }] },
      ["guest.shutDown", "volumes.create default web.disk-data.qcow2", "hosts.define web tcg", "guest.start"],
    ],
  ])("changes %s in place", async (_what, wanted, calls) => {
    const lab = await deployed();
    const { uuid } = machineOf(lab) ?? {};

    const done = await deployHost(lab.deploy(wanted));
    const after = touched(lab).filter((call) => call !== "startNetwork default");
    const again = await deployHost(lab.deploy(wanted));

    expect(after).toEqual(calls);
    expect([done.machine, again.machine]).toEqual(["changed", "as wanted"]);
    expect(machineOf(lab)?.uuid).toBe(uuid);
    expect(lab.hypervisor.domains.get("web")?.state).toBe("running");
  });

  it("grows the disk to the size that was asked for", async () => {
    const lab = await deployed();

    await deployHost(lab.deploy({ disk: { sizeGiB: 9, mode: "overlay" } }));

    expect(lab.hypervisor.disks.all.get("/pools/default/web.qcow2")?.capacity).toBe(9 * GIB);
  });

  it.each(["shut-off", "crashed"] as const)("starts one that is %s", async (state) => {
    const lab = await deployed();
    lab.hypervisor.change(machineOf(lab)?.uuid ?? "", { state });

    const done = await deployHost(lab.deploy());

    expect(done.changes).toEqual([{ what: "power", from: "off", to: "on", how: "at once" }]);
    expect(lab.hypervisor.domains.get("web")?.state).toBe("running");
  });

  it.each<[what: string, wanted: Partial<HostSpec>]>([
    ["another image", { image: { kind: "spec", name: "base", version: "20260201-ffffffff" } }],
    ["another mode of its disk", { disk: { sizeGiB: undefined, mode: "copy" } }],
    ["another pool", { pool: "ssd" }],
    ["another full name", { fqdn: "web.example.org" }],
  ])("touches nothing where %s takes a new disk", async (_what, wanted) => {
    const lab = await deployed();
    lab.image = await someImage(lab.folder, "base@20260201-ffffffff");

    await expect(deployHost(lab.deploy({ ...wanted, cpus: 4 }))).rejects.toMatchObject({
      code: "HOST_NEEDS_REPLACE",
      exitCode: 2,
    });
    await expect(planHost(lab.deploy({ ...wanted, cpus: 4 }))).rejects.toMatchObject({
      code: "HOST_NEEDS_REPLACE",
    });

    expect(touched(lab)).toEqual([]);
    expect(lab.hypervisor.calls).not.toContain("reach");
  });

  it("says what it would change, and changes nothing", async () => {
    const lab = await deployed();

    const plan = await planHost(lab.deploy({ cpus: 4, autostart: false }));

    expect(plan.changes.map(({ what, how }) => `${what} ${how}`)).toEqual([
      "processors restart",
      "autostart at once",
    ]);
    expect(touched(lab)).toEqual([]);
  });

  it("makes it anew with --replace, with its extra disks and another host key", async () => {
    const extraDisks = [{ name: "data", sizeGiB: 2 }];
    const lab = await deployed({ extraDisks, networks: fixed });
    const before = machineOf(lab)?.mark?.host?.hostKey;
    const serial = lab.hypervisor.disks.all.get("/pools/default/web.disk-data.qcow2")?.serial;
    lab.image = await someImage(lab.folder, "base@20260201-ffffffff");

    const done = await deployHost(lab.deploy({ extraDisks, networks: fixed }, { replace: true }));

    expect(done).toMatchObject({ machine: "made anew", loses: [expect.stringContaining("/home")] });
    expect(machineOf(lab)?.mark?.host?.hostKey).not.toBe(before);
    expect(lab.remembered.get("web")).toBe(machineOf(lab)?.mark?.host?.hostKey);
    expect(lab.hypervisor.disks.all.get("/pools/default/web.disk-data.qcow2")?.serial).toBe(serial);
    expect(lab.hypervisor.reservations).toHaveLength(1);
  });

  it("does not make anew what is as wanted, with --replace either", async () => {
    const lab = await deployed();

    expect(await deployHost(lab.deploy({}, { replace: true }))).toMatchObject({ machine: "as wanted" });
    expect(touched(lab)).toEqual([]);
  });
});

describe("a deploy of a host whose network cards differ", () => {
  it("gives its address to a card with another hardware address", async () => {
    const lab = await deployed({ networks: fixed });
    const networks = [someCard({ ...fixed[0], mac: "52:54:00:00:00:02" })];

    await deployHost(lab.deploy({ networks }));

    expect(lab.hypervisor.reservations).toEqual([
      { network: "default", mac: "52:54:00:00:00:02", address: "192.0.2.10", name: "web" },
    ]);
  });

  it("keeps no address for a card that is gone, on a network that is gone either", async () => {
    const lab = await deployed({ networks: fixed });
    const networks = [someCard({ joins: { kind: "bridge", name: "br0" }, mac: "52:54:00:00:00:02" })];

    await deployHost(lab.deploy({ networks }));

    expect(leftIn(lab).reservations).toEqual([]);
    expect(machineOf(lab)?.cards).toEqual([{ mac: "52:54:00:00:00:02", bridge: "br0" }]);
  });

  it("keeps another address for the same card in place of the one before", async () => {
    const lab = await deployed({ networks: fixed });

    await deployHost(lab.deploy({ networks: [someCard({ dhcp4: false, addresses: ["192.0.2.11/24"] })] }));

    expect(leftIn(lab).reservations).toEqual(["192.0.2.11"]);
  });

  it("is replaced although its old network is gone", async () => {
    const lab = await deployed({ networks: fixed });
    lab.hypervisor.networks.delete("default");
    lab.hypervisor.networks.add("lab");
    const networks = [someCard({ joins: { kind: "network", name: "lab" } })];
    lab.image = await someImage(lab.folder, "base@20260201-ffffffff");

    const done = await deployHost(lab.deploy({ networks }, { replace: true }));

    expect(done.machine).toBe("made anew");
  });
});
