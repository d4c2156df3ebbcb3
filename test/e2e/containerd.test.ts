import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

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
import { recordedRun } from "../support/recorded-run.ts";

// One scratch guest, as its base made it: what is done to it is done in this order.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });
const shipped = join(import.meta.dirname, "../..");

let folder: string;
let driver: LibvirtDriver;
let scratch: BootedGuest;

beforeAll(async () => {
  const manifest = parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
  const base = await prepareBase("debian-13", { ...settings, manifest, templates: shippedTemplates, run });
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
    machine: { cpus: 2, memoryMiB: 1536 },
    user: "visitor",
    hostName: "scratch",
    run,
  });
  await writeFile(join(folder, "known-hosts"), `${scratch.address} ${scratch.hostKey}\n`);
});

afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function apply(spec: string): Promise<LaunchedRun> {
  const login = ["--identity", scratch.keyFile, "--known-hosts", join(folder, "known-hosts")];
  return launch(["apply", "--spec", spec, "--target", `visitor@${scratch.address}`, ...login]);
}

async function onGuest(script: string): Promise<string> {
  const fact: FactRequest = { kind: "query", about: { argv: ["sh", "-c", script] } };
  const { answers } = await scratch.host.fly({ orders: [], facts: [fact] });
  const [answer] = answers;
  if (!answer || "unknown" in answer) throw new Error(answer?.unknown ?? "no answer");
  return (answer.value as Output).stdout.trim();
}

/** A login of the fresh user, as anybody's: only sshd gives a session with a systemd of its own. */
async function asDweller(script: string): Promise<{ exitCode: number | undefined; all: string }> {
  const knownHosts = `UserKnownHostsFile=${join(folder, "known-hosts")}`;
  const login = ["-F", "none", "-i", scratch.keyFile, "-o", knownHosts, "-o", "StrictHostKeyChecking=yes"];
  const words = [...login, "-o", "BatchMode=yes", `dweller@${scratch.address}`, `set -e\n${script}`];
  const { exitCode, all } = await execa("ssh", words, { all: true, reject: false, stdin: "ignore" });
  return { exitCode, all };
}

/** The commands that the profile's page tells a user to type, a text for each block. */
async function documentedCommands(): Promise<readonly string[]> {
  const page = await readFile(join(shipped, "docs/profiles/containerd.md"), "utf8");
  const [, chapter = ""] = /^## A container by hand$([\s\S]*?)^## /m.exec(page) ?? [];
  return [...chapter.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = ""]) => commands);
}

/** Writes a spec of one profile and applies it. */
async function applyProfile(content: string): Promise<LaunchedRun> {
  const spec = join(folder, "profile.yaml");
  const tasks = [{ apparmor: { name: "provision-test", content } }];
  await writeFile(spec, stringify({ base: "debian-13", tasks }));
  return apply(spec);
}

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

describe("the profile containerd on a real guest", { shuffle: false }, () => {
  it("is applied, and finds everything as wanted in one flight the second time", async () => {
    const first = await apply("containerd");
    const second = await apply("containerd");

    expect(outcome(first)).toEqual([0, []]);
    expect(outcome(second)).toEqual([0, []]);
    expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });

  it("runs no containerd as root, and leaves no failed unit", async () => {
    expect(await onGuest("systemctl is-active containerd; pgrep -x containerd")).toBe("inactive");
    expect(await onGuest("systemctl list-units --failed --plain --no-legend")).toBe("");
  });

  it("gives a user who comes later their own ids", async () => {
    const made = await onGuest(`
      useradd --create-home --shell /bin/bash dweller &&
      install -d -o dweller -g dweller -m 0700 ~dweller/.ssh &&
      install -o dweller -g dweller -m 0600 ~visitor/.ssh/authorized_keys ~dweller/.ssh/ &&
      grep -h ^dweller: /etc/subuid /etc/subgid`);

    // The one who looks after the guest had come before the template.
    expect(made).toMatch(/^dweller:(\d{6,}):65536\ndweller:\1:65536$/);
  });

  it("starts a container by the documented commands, whose root is that user", async () => {
    const [start = "", image = "", container = "", boot = ""] = await documentedCommands();
    const uid = await onGuest("id -u dweller");
    const first = await onGuest("grep -h ^dweller: /etc/subuid | cut -d : -f 2");

    expect(await asDweller(start)).toMatchObject({ exitCode: 0, all: expect.stringContaining("Server:") });
    expect(await asDweller(image)).toMatchObject({ exitCode: 0 });
    const { exitCode, all } = await asDweller(container);

    expect([exitCode, all.trim().split(/\s+/)]).toEqual([0, ["0", uid, "1", "1", first, "65536"]]);
    expect(await asDweller(boot)).toMatchObject({ exitCode: 0 });
    expect(await asDweller("systemctl --user is-enabled containerd")).toMatchObject({ all: "enabled" });
  });

  it("says what to do when the user's containerd does not run", async () => {
    const { exitCode, all } = await asDweller("systemctl --user stop containerd; rootless-ctr version");

    expect([exitCode, all]).toEqual([1, expect.stringContaining("systemctl --user start containerd")]);
  });

  it("loads an AppArmor profile, and keeps the old one when the new one has a mistake", async () => {
    const good = "profile provision-test /usr/local/bin/provision-test {\n  /etc/hosts r,\n}\n";
    const loaded =
      "grep ^provision-test /sys/kernel/security/apparmor/profiles; cat /etc/apparmor.d/provision-test";

    const first = await applyProfile(good);
    const second = await applyProfile(good);
    const bad = await applyProfile(good.replace(" r,", " rubbish"));

    expect(outcome(first)).toEqual([0, []]);
    expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    expect(bad.exitCode).toBe(5);
    expect(eventsOf(bad, "error")[0]).toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("at line 2: syntax error"),
      mend: expect.stringContaining("Correct the profile"),
    });
    expect(await onGuest(loaded)).toBe(`provision-test (enforce)\n${good.trim()}`);
  });
});
