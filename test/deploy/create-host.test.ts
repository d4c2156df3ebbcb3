import { readdir, writeFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import type { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { deployHost, planHost } from "../../src/provisioner/deploy/deploy-host.ts";
import { acceleratorFailure } from "../../src/provisioner/libvirt/accelerator.ts";
import type { HostMark, Mark } from "../../src/provisioner/libvirt/driver.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { type Lab, leftIn, nothing, openLab } from "../support/fake-deployment.ts";
import { someCard } from "../support/some-host.ts";

const GIB = 1024 ** 3;
const data = { name: "data", sizeGiB: 2 };
const fixed: Partial<HostSpec> = { networks: [someCard({ dhcp4: false, addresses: ["192.0.2.10/24"] })] };

const markOf = ({ hypervisor }: Lab): Mark | undefined => hypervisor.domains.get("web")?.machine.mark;
const at = ({ hypervisor }: Lab, beginning: string) =>
  hypervisor.calls.findIndex((call) => call.startsWith(beginning));

/** What was known of the host at each call that begins so. */
function watch(lab: Lab, beginning: string): (HostMark | undefined)[] {
  const seen: (HostMark | undefined)[] = [];
  lab.hypervisor.before = (call) => {
    if (call.startsWith(beginning)) seen.push(markOf(lab)?.host);
  };
  return seen;
}

describe("a first deploy", () => {
  it("makes the host, which is as its file says from its first boot on", async () => {
    const lab = await openLab();

    const done = await deployHost(lab.deploy());

    expect(done).toMatchObject({ host: "web", machine: "made", tasks: { changed: 0, flights: 1 } });
    expect(lab.hypervisor.domains.get("web")).toMatchObject({ state: "running", autostart: true });
    expect(leftIn(lab).volumes).toEqual(["web-console.log", "web-seed.img", "web.qcow2"]);
    expect(lab.guests.open).toBe(0);
    expect((await readdir(lab.deploy().workDir)).filter((name) => /seed|upload/.test(name))).toEqual([]);
  });

  it("writes down whose the volumes are before it makes them", async () => {
    const lab = await openLab();
    const seen = watch(lab, "volumes.create default web");

    await deployHost(lab.deploy({ extraDisks: [data] }));

    expect(seen).toHaveLength(3);
    expect(seen.every((host) => host?.ready === false)).toBe(true);
    expect(markOf(lab)?.files).toEqual(
      expect.arrayContaining(leftIn(lab).volumes.map((name) => `/pools/default/${name}`)),
    );
  });

  it("calls the host ready once cloud-init is through, and no earlier", async () => {
    const lab = await openLab();
    const seen = watch(lab, "fly");

    await deployHost(lab.deploy());

    expect(seen.map((host) => host?.ready)).toEqual([false, true]);
    expect(markOf(lab)?.owner).toBeUndefined();
  });

  it("sends no image whose digest is another", async () => {
    const lab = await openLab();
    await writeFile(lab.image.path, "x".repeat(lab.image.bytes));

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({ code: "IMAGE_DAMAGED" });

    expect(lab.hypervisor.disks.names()).toEqual([]);
  });

  it("keeps the addresses of the host before it boots", async () => {
    const lab = await openLab();

    await deployHost(lab.deploy(fixed));

    expect(lab.hypervisor.reservations).toEqual([
      { network: "default", mac: "52:54:00:00:00:01", address: "192.0.2.10", name: "web" },
    ]);
    expect(at(lab, "networks.keepAddress")).toBeLessThan(at(lab, "guest.start"));
  });

  it("leaves the private half of the host key with the host alone", async () => {
    const lab = await openLab();

    await deployHost(lab.deploy());

    const [secret = ""] = lab.guests.privateKeys;
    const [, line = ""] = secret.split("\n");
    const seed = lab.hypervisor.disks.all.get("/pools/default/web-seed.img")?.content.toString("latin1");
    expect(secret).toContain("OPENSSH PRIVATE KEY");
    expect(JSON.stringify([lab.events, lab.hypervisor.calls, markOf(lab)])).not.toContain(line);
    expect(seed).toContain("#cloud-config");
    expect(seed).not.toMatch(/PRIVATE KEY|ssh_keys/);
  });

  it("writes the host's key down", async () => {
    const lab = await openLab();

    await deployHost(lab.deploy());

    expect([...lab.remembered]).toEqual([["web", markOf(lab)?.host?.hostKey]]);
    expect(markOf(lab)?.host?.hostKey).toMatch(/^ssh-ed25519 AAAA/);
  });

  it("is ready only when nothing of its making is left to do", async () => {
    const lab = await openLab();

    await deployHost(lab.deploy());

    const ready = lab.hypervisor.calls.lastIndexOf("hosts.setMark web");
    expect(at(lab, "remember")).toBeLessThan(ready);
    expect(lab.hypervisor.calls.findLastIndex((call) => call.startsWith("volumes.upload"))).toBeLessThan(
      ready,
    );
  });

  it.each<[mode: "overlay" | "copy", sizeGiB: number | undefined, capacity: number, hasBacking: boolean]>([
    ["overlay", undefined, 4, true],
    ["overlay", 9, 9, true],
    ["copy", undefined, 4, false],
    ["copy", 9, 9, false],
  ])("gives it a disk: %s, %s GiB", async (mode, sizeGiB, capacity, hasBacking) => {
    const lab = await openLab();

    await deployHost(lab.deploy({ disk: { mode, sizeGiB } }));

    const disk = lab.hypervisor.disks.all.get("/pools/default/web.qcow2");
    expect(disk?.capacity).toBe(capacity * GIB);
    expect(disk?.backing !== undefined).toBe(hasBacking);
  });

  it("uses an extra disk of an earlier host as it is", async () => {
    const lab = await openLab();
    const path = "/pools/default/web.disk-data.qcow2";
    await lab.hypervisor.disks.methods.create("default", {
      name: "web.disk-data.qcow2",
      format: "qcow2",
      capacity: 7,
    });
    const before = lab.hypervisor.disks.all.get(path);

    await deployHost(lab.deploy({ extraDisks: [data] }));

    expect(lab.hypervisor.disks.all.get(path)?.serial).toBe(before?.serial);
    expect(lab.hypervisor.domains.get("web")?.machine.disks[1]).toMatchObject({ path, serial: "data" });
  });

  it("says what it would do, and does nothing", async () => {
    const lab = await openLab();

    const plan = await planHost(lab.deploy(fixed));

    expect(plan).toMatchObject({ machine: "made", tasks: { changed: 6 } });
    expect(leftIn(lab)).toEqual(nothing);
    expect(lab.hypervisor.calls.filter((call) => /create|upload|define|keep|set|fly/.test(call))).toEqual([]);
  });
});

describe("a first deploy that fails", () => {
  it.each<[what: string, spoil: (lab: Lab) => void, code: string]>([
    ["a pool without room", ({ hypervisor }) => (hypervisor.disks.available = 1), "POOL_FULL"],
    ["an upload that is cut off", (lab) => failAt(lab, "volumes.upload"), "LIBVIRT_FAILED"],
    ["a definition that libvirt refuses", (lab) => failAt(lab, "hosts.define"), "LIBVIRT_FAILED"],
    [
      "a disk for which there is no room",
      (lab) => failAt(lab, "volumes.create default web."),
      "LIBVIRT_FAILED",
    ],
    ["an address that cannot be kept", (lab) => failAt(lab, "networks.keepAddress"), "LIBVIRT_FAILED"],
    ["a guest that does not start", (lab) => failAt(lab, "guest.start"), "LIBVIRT_FAILED"],
    ["a guest that dies", ({ hypervisor }) => (hypervisor.boot = () => "crashed"), "GUEST_DIED"],
    ["a guest that lets nobody in", ({ guests }) => guests.silent.add("web"), "SSH_NOT_UP"],
    ["a cloud-init with complaints", ({ guests }) => (guests.complaints = ["no"]), "CLOUD_INIT_FAILED"],
    ["a key that cannot be written down", (lab) => failAt(lab, "remember"), "LIBVIRT_FAILED"],
  ])("by %s leaves nothing", async (_what, spoil, code) => {
    const lab = await openLab();
    spoil(lab);

    await expect(deployHost(lab.deploy({ ...fixed, extraDisks: [data] }))).rejects.toMatchObject({ code });

    expect(leftIn(lab)).toEqual(nothing);
  });

  it("shows the end of cloud-init's log", async () => {
    const lab = await openLab();
    lab.guests.complaints = ["module x failed"];

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({
      facts: { complaints: ["module x failed"], tail: "the log's end" },
    });
  });

  it("says what it was, whatever happens while it is cleaned up", async () => {
    const lab = await openLab();
    lab.hypervisor.boot = () => "crashed";
    failAt(lab, "hosts.undefine");

    const error = await deployHost(lab.deploy()).catch((caught: ProvisionError) => caught);

    expect(error).toMatchObject({ code: "GUEST_DIED" });
    expect(lab.events).toContainEqual(
      expect.objectContaining({ level: "warning", text: expect.stringMatching(/remove .*web/i) as string }),
    );
  });

  it("keeps the extra disks that were there before", async () => {
    const lab = await openLab();
    await deployHost(lab.deploy({ extraDisks: [data] }));
    lab.hypervisor.domains.clear();
    await lab.hypervisor.disks.methods.remove("default", "web.qcow2");
    lab.guests.silent.add("web");

    const again = deployHost(lab.deploy({ extraDisks: [data, { name: "logs", sizeGiB: 1 }] }));

    await expect(again).rejects.toMatchObject({ code: "SSH_NOT_UP" });
    expect(leftIn(lab).volumes).toEqual(["web.disk-data.qcow2"]);
  });

  it("leaves the host with --keep-on-error, and the next deploy makes it anew", async () => {
    const lab = await openLab();
    lab.guests.silent.add("web");

    await expect(deployHost(lab.deploy(fixed, { keepOnError: true }))).rejects.toMatchObject({
      code: "SSH_NOT_UP",
    });
    const kept = lab.hypervisor.domains.get("web");
    lab.guests.silent.clear();
    const done = await deployHost(lab.deploy(fixed));

    expect(kept).toMatchObject({ state: "running", machine: { mark: { host: { ready: false } } } });
    expect(done.machine).toBe("made");
    expect(lab.hypervisor.domains.get("web")?.machine.uuid).not.toBe(kept?.machine.uuid);
    expect(lab.hypervisor.reservations).toHaveLength(1);
  });

  it("leaves nothing with --keep-on-error where it never was", async () => {
    const lab = await openLab();
    failAt(lab, "volumes.create default web.");

    await expect(deployHost(lab.deploy({}, { keepOnError: true }))).rejects.toMatchObject({
      code: "LIBVIRT_FAILED",
    });

    expect(leftIn(lab)).toEqual(nothing);
  });
});

describe("a guest that KVM stops", () => {
  it("is booted once more under emulation", async () => {
    const lab = await openLab();
    lab.hypervisor.accelerators = ["kvm", "tcg"];
    lab.hypervisor.boot = ({ accelerator }) => (accelerator === "kvm" ? acceleratorFailure : undefined);

    const done = await deployHost(lab.deploy());

    expect(done.machine).toBe("made");
    expect(lab.hypervisor.calls.filter((call) => /define|start$/.test(call))).toEqual([
      "hosts.define web kvm",
      "guest.start",
      "hosts.define web tcg",
      "guest.start",
    ]);
  });

  it("is given up when emulation stops it too", async () => {
    const lab = await openLab();
    lab.hypervisor.accelerators = ["kvm", "tcg"];
    lab.hypervisor.boot = () => acceleratorFailure;

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({ code: "GUEST_DIED" });

    expect(lab.hypervisor.calls.filter((call) => call === "guest.start")).toHaveLength(2);
    expect(leftIn(lab)).toEqual(nothing);
  });

  it("is given up where KVM was asked for", async () => {
    const lab = await openLab();
    lab.hypervisor.accelerators = ["kvm"];
    lab.hypervisor.boot = () => acceleratorFailure;

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({ code: "GUEST_DIED" });

    expect(lab.hypervisor.calls.filter((call) => call === "guest.start")).toHaveLength(1);
  });
});

/** Fails the first call that begins so. */
function failAt({ hypervisor }: Lab, beginning: string): void {
  hypervisor.failOnce((call) => call.startsWith(beginning));
}
