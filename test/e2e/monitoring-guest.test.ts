import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import type { FactRequest } from "../../src/provisioner/core/facts.ts";
import type { Output } from "../../src/provisioner/core/task.ts";
import { prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { bootGuest, type BootedGuest } from "../../src/provisioner/image/boot-guest.ts";
import { makeOverlay } from "../../src/provisioner/image/qemu-img.ts";
import { openDriver, type LibvirtDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { shippedTemplates } from "../support/bases.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { type MonitoringProject, openMonitoringProject } from "../support/monitoring-project.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { startSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

// What needs a kernel of its own; the rest of the profile is proved faster, in monitoring.test.ts.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

let folder: string;
let driver: LibvirtDriver;
let guest: BootedGuest;
let opened: MonitoringProject;

beforeAll(async () => {
  const versions = await readFile(join(import.meta.dirname, "../../versions.yaml"), "utf8");
  const manifest = parse(versions) as Manifest;
  const base = await prepareBase("debian-13", { ...settings, manifest, templates: shippedTemplates, run });
  await mkdir(join(settings.cacheDir, "work"), { recursive: true, mode: 0o711 });
  folder = await mkdtemp(join(settings.cacheDir, "work", "scratch-"));
  await chmod(folder, 0o711);
  const disk = join(folder, "disk.qcow2");
  await makeOverlay(base.path, disk, { run });
  driver = await openDriver("qemu:///system", { render: shippedTemplates, cacheFolder: settings.cacheDir });
  await driver.startNetwork("default");
  guest = await bootGuest({
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
  const seenAt = await onGuest("ip -4 route show default | awk '{ print $3; exit }'");
  await using host = await startSystemdHost(await systemdRoot(settings.cacheDir));
  opened = await openMonitoringProject(host, { address: "0.0.0.0", seenAt });
});

afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await guest[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function apply(): Promise<LaunchedRun> {
  const knownHosts = join(folder, "known-hosts");
  await writeFile(knownHosts, `${guest.address} ${guest.hostKey}\n`);
  const login = ["--identity", guest.keyFile, "--known-hosts", knownHosts];
  return launch(["apply", "--spec", "monitoring", "--target", `visitor@${guest.address}`, ...login], {
    env: { PROVISION_HOME: opened.project.home, PROVISION_CACHE: join(folder, "cache") },
  });
}

async function onGuest(script: string): Promise<string> {
  const fact: FactRequest = { kind: "query", about: { argv: ["sh", "-c", script] } };
  const { answers } = await guest.host.fly({ orders: [], facts: [fact] });
  const [answer] = answers;
  if (!answer || "unknown" in answer) throw new Error(answer?.unknown ?? "no answer");
  return (answer.value as Output).stdout.trim();
}

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

describe("the monitoring profile on a real guest", { shuffle: false }, () => {
  it("is settled whole, and unchanged the second time, in one flight", async () => {
    const first = await apply();
    const second = await apply();

    expect(outcome(first)).toEqual([0, []]);
    expect(outcome(second)).toEqual([0, []]);
    expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    expect(await onGuest("systemctl is-active node_exporter auditd fluent-bit")).toBe(
      "active\nactive\nactive",
    );
    expect(await onGuest("systemctl list-units --failed --plain --no-legend")).toBe("");
  });

  it("has the kernel watch what the rules say, all of them", async () => {
    const wanted = await onGuest("grep -c '^-a' /etc/audit/rules.d/50-provision.rules");

    expect(await onGuest("auditctl -l | grep -c '^-a'")).toBe(wanted);
  });

  it("writes what happens as JSON, by a laurel that is root no more", async () => {
    await onGuest("chmod 0644 /etc/passwd");

    const line = await onGuest(
      "for try in 1 2 3 4 5 6 7 8 9 10; do grep -m1 '\"identity\"' /var/log/laurel/audit.log && break; sleep 1; done",
    );

    expect(JSON.parse(line)).toMatchObject({ SYSCALL: { key: "identity", uid: expect.anything() } });
    expect(await onGuest("ps -o user= -C laurel")).toBe("_laurel");
  });
});
