import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { parse } from "yaml";

import type { FactRequest } from "../../src/provisioner/core/facts.ts";
import type { Output } from "../../src/provisioner/core/task.ts";
import { prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { bootGuest, type BootedGuest } from "../../src/provisioner/image/boot-guest.ts";
import { makeOverlay } from "../../src/provisioner/image/qemu-img.ts";
import { openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { shippedTemplates } from "./bases.ts";
import { recordedRun } from "./recorded-run.ts";

const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

/** A real guest that a test does with as it likes; its user is `visitor`. */
export interface ScratchGuest extends AsyncDisposable {
  readonly booted: BootedGuest;
  /** For files of the test; the hypervisor's user can read it. */
  readonly folder: string;
  readonly knownHosts: string;
  /** Flags by which `provision apply` and its like reach it. */
  readonly login: readonly string[];
  /** Runs a script as root and gives what it printed, whatever its exit code. */
  sh(script: string): Promise<string>;
}

/** Boots one from a base of the shipped versions.yaml. */
export async function bootBase(base: string, machine: { readonly memoryMiB: number }): Promise<ScratchGuest> {
  const versions = await readFile(join(import.meta.dirname, "../../versions.yaml"), "utf8");
  const manifest = parse(versions) as Manifest;
  const { path } = await prepareBase(base, { ...settings, manifest, templates: shippedTemplates, run });
  return bootDisk(path, machine);
}

/** Boots one from a qcow2 file, which stays as it is and must be readable for the hypervisor's user. */
export async function bootDisk(
  image: string,
  { memoryMiB }: { readonly memoryMiB: number },
): Promise<ScratchGuest> {
  await mkdir(join(settings.cacheDir, "work"), { recursive: true, mode: 0o711 });
  const folder = await mkdtemp(join(settings.cacheDir, "work", "scratch-"));
  await chmod(folder, 0o711);
  const disk = join(folder, "disk.qcow2");
  await makeOverlay(image, disk, { run });
  const driver = await openDriver("qemu:///system", {
    render: shippedTemplates,
    cacheFolder: settings.cacheDir,
  });
  await driver.startNetwork("default");
  const booted = await bootGuest({
    driver,
    role: "scratch",
    network: "default",
    folder,
    disk,
    machine: { cpus: 2, memoryMiB },
    user: "visitor",
    hostName: "scratch",
    run,
  });
  const knownHosts = join(folder, "known-hosts");
  await writeFile(knownHosts, `${booted.address} ${booted.hostKey}\n`);
  return {
    booted,
    folder,
    knownHosts,
    login: [
      "--target",
      `visitor@${booted.address}`,
      "--identity",
      booted.keyFile,
      "--known-hosts",
      knownHosts,
    ],
    async sh(script) {
      const fact: FactRequest = { kind: "query", about: { argv: ["sh", "-c", script] } };
      const { answers } = await booted.host.fly({ orders: [], facts: [fact] });
      const [answer] = answers;
      if (!answer || "unknown" in answer) throw new Error(answer?.unknown ?? "no answer");
      return (answer.value as Output).stdout.trim();
    },
    async [Symbol.asyncDispose]() {
      await booted[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
