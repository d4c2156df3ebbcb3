import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { FactRequest } from "../../src/provisioner/core/facts.ts";
import type { DriverPin, Output } from "../../src/provisioner/core/task.ts";
import { prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { bootGuest, type BootedGuest } from "../../src/provisioner/image/boot-guest.ts";
import { makeOverlay } from "../../src/provisioner/image/qemu-img.ts";
import { openDriver, type LibvirtDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { shippedTemplates } from "../support/bases.ts";
import { eventsOf, launch } from "../support/launcher.ts";
import { shippedPins } from "../support/nvidia-project.ts";
import { recordedRun } from "../support/recorded-run.ts";

// A guest of the base with the driver, on a machine that has no GPU to give it.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

let folder: string;
let driver: LibvirtDriver;
let scratch: BootedGuest;
let pin: DriverPin;

/** Long: where the cache has no such base, its module is compiled first. */
const LONG_MS = 2_400_000;

beforeAll(async () => {
  const manifest = await shippedPins();
  pin = manifest.drivers?.["nvidia"]?.["debian-13"] as DriverPin;
  const templates = shippedTemplates;
  const base = await prepareBase("debian-13-nvidia", { ...settings, manifest, templates, run });
  await mkdir(join(settings.cacheDir, "work"), { recursive: true, mode: 0o711 });
  folder = await mkdtemp(join(settings.cacheDir, "work", "scratch-"));
  await chmod(folder, 0o711);
  const disk = join(folder, "disk.qcow2");
  await makeOverlay(base.path, disk, { run });
  driver = await openDriver("qemu:///system", { render: shippedTemplates, cacheFolder: settings.cacheDir });
  await driver.startNetwork("default");
  scratch = await bootGuest({
    driver,
    role: "scratch",
    network: "default",
    folder,
    disk,
    machine: { cpus: 2, memoryMiB: 1024 },
    user: "visitor",
    hostName: "scratch",
    run,
  });
}, LONG_MS);

afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function onGuest(script: string): Promise<string> {
  const fact: FactRequest = { kind: "query", about: { argv: ["sh", "-c", script] } };
  const { answers } = await scratch.host.fly({ orders: [], facts: [fact] });
  const [answer] = answers;
  if (!answer || "unknown" in answer) throw new Error(answer?.unknown ?? "no answer");
  return (answer.value as Output).stdout.trim();
}

describe("a guest of the base with NVIDIA's driver", { shuffle: false }, () => {
  it("runs the pinned kernel, with the driver's module for it, and no failed unit without a GPU", async () => {
    expect(await onGuest("uname -r; ls /lib/modules")).toBe(`${pin.kernel}\n${pin.kernel}`);
    expect(await onGuest(`modinfo -F version ${pin.module}`)).toBe(pin.version);
    expect(await onGuest("systemctl list-units --failed --plain --no-legend")).toBe("");
    expect(
      await onGuest("systemctl is-active nvidia-persistenced.service systemd-modules-load.service"),
    ).toBe("inactive\nactive");
  });

  it("holds no key that signs modules", async () => {
    expect(await onGuest("ls /var/lib/dkms")).not.toContain("mok");
  });

  it("is as the driver's task wants it: nothing to change, in one flight", async () => {
    const knownHosts = join(folder, "known-hosts");
    await writeFile(knownHosts, `${scratch.address} ${scratch.hostKey}\n`);
    const login = ["--identity", scratch.keyFile, "--known-hosts", knownHosts];
    const target = ["--target", `visitor@${scratch.address}`, ...login];

    const applied = await launch(["apply", "--spec", "nvidia", "--only", "nvidia-driver", ...target]);

    expect([applied.exitCode, eventsOf(applied, "error")]).toEqual([0, []]);
    expect(eventsOf(applied, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });
});
