import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { moments } from "../../src/provisioner/image/contract/clause.ts";
import { contract } from "../../src/provisioner/image/contract/contract.ts";
import { defaultSizes, layOutDisk, offsetOf } from "../../src/provisioner/image/disk-layout.ts";
import { maintenanceSentence } from "../../src/provisioner/image/maintenance.ts";
import type { Manifest } from "../../src/provisioner/image/manifest.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { documentedCommands } from "../support/documented-commands.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { maintainGuest } from "../support/maintain-guest.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { bootDisk, type ScratchGuest } from "../support/scratch-guest.ts";
import {
  gatewayOf,
  openShippedProject,
  shippedPins,
  type ShippedProject,
} from "../support/shipped-project.ts";
import { startSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

// One build of all that is shipped, whose own verification boots it three times, and one guest of the image.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

/** Long: without KVM, and where the cache has no base with the driver, which is compiled for it. */
const LONG_MS = 3_600_000;

let shipped: ShippedProject;
let images: string;
let env: Record<string, string>;
let built: LaunchedRun;
let image: string;
let manifest: Manifest;

beforeAll(async () => {
  images = await mkdtemp(join(tmpdir(), "provision-images-"));
  await program(["chmod", "0755", images], { run });
  await using builder = await startSystemdHost(await systemdRoot(settings.cacheDir));
  // Guests find this machine by the address of their network's gateway.
  shipped = await openShippedProject({
    builder,
    address: "0.0.0.0",
    seenAt: await gatewayOf("default", run),
  });
  env = { PROVISION_HOME: shipped.project.home, PROVISION_IMAGES: images };
  built = await launch(["build", "--spec", "full", "--yes"], { env });
  for (const { message } of eventsOf(built, "error")) throw new Error(message);
  const folder = join(images, "full", "latest");
  image = join(folder, "image.qcow2");
  manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
}, LONG_MS);

afterAll(async () => {
  await shipped[Symbol.asyncDispose]();
  await rm(images, { recursive: true, force: true });
});

const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];

describe("provision build --spec full", { shuffle: false }, () => {
  it("finds the driver as its base was made with it, and no initramfs to make anew", () => {
    const uses = new Map(eventsOf(built, "use-ended").map((ended) => [ended.use, ended.outcome]));

    expect(uses.get("nvidia-driver nvidia")).toBe("ok");
    expect(uses.get("readonly-root /")).toBe("ok");
    expect(uses.get("apt containers without root")).toBe("changed");
    expect(manifest.readOnlyRoot).toBe(true);
  });

  it("keeps every promise, in its files, on its first boot and over two reboots", () => {
    const found = eventsOf(built, "assertion");
    const asked = (moment: string, at: number) =>
      contract.filter(({ files, guest }) => (moment === "files" ? files : guest && guest.from < at));

    expect(found.filter(({ held }) => !held)).toEqual([]);
    for (const [at, moment] of moments.entries()) {
      expect(found.filter((each) => each.moment === moment).map(({ promise }) => promise)).toEqual(
        asked(moment, at).map(({ id }) => id),
      );
    }
  });

  it("writes down the time of each phase, and what it took from versions.yaml", () => {
    expect(manifest.built.phases.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Prepare base", "Boot builder", "Apply tasks", "Seal and power off"]),
    );
    expect(manifest.tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["go", "laurel", "neovim", "node_exporter", "nvidia_gpu_exporter", "rust"]),
    );
  });

  it("is caught by its files when root is switched back, and is not booted then", async () => {
    const folder = await mkdtemp(join(images, "switched-"));
    await switchBack(folder);

    const verified = await launch(["verify", folder], { env });

    const broken = eventsOf(verified, "assertion").filter(({ held }) => !held);
    expect(verified.exitCode).toBe(6);
    expect(broken.map(({ promise, moment }) => [promise, moment])).toEqual([["root-read-only", "files"]]);
    expect(eventsOf(verified, "result")[0]?.data).toMatchObject({
      held: false,
      promises: expect.arrayContaining([
        expect.objectContaining({ promise: "root-read-only", found: { files: "broken" } }),
        expect.objectContaining({ promise: "no-users", found: { files: "held" } }),
      ]) as unknown,
    });
  });
});

/** A copy whose fstab mounts root for writing, as an unsealed one does. */
async function switchBack(folder: string): Promise<void> {
  const [raw, fstab] = [join(folder, "disk.raw"), join(folder, "fstab")];
  await program(["qemu-img", "convert", "-O", "raw", image, raw], { run });
  const device = `${raw}?offset=${offsetOf(layOutDisk(defaultSizes, manifest.key).root)}`;
  const { sealed, open } = stateLayout.fstab.root;
  const text = await program(["debugfs", "-R", "cat /etc/fstab", device], { run });
  await writeFile(fstab, `${text.replace(sealed, open)}\n`);
  await program(["debugfs", "-w", "-R", "rm /etc/fstab", device], { run });
  await program(["debugfs", "-w", "-R", `write ${fstab} /etc/fstab`, device], { run });
  const copy = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, join(folder, "image.qcow2")] as const;
  await program([...copy], { run });
  await rm(raw);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
}

describe("a guest of the full image", { shuffle: false }, () => {
  let guest: ScratchGuest;

  beforeAll(async () => {
    guest = await bootDisk(image, { memoryMiB: 2048 });
  });

  afterAll(() => guest[Symbol.asyncDispose]());

  const apply = (spec: string) =>
    launch(["apply", "--spec", spec, ...guest.login], { env: { ...env, PROVISION_IMAGES: images } });

  /** A login of the fresh user, as anybody's: only sshd gives a session with a systemd of its own. */
  async function asDweller(script: string): Promise<{ exitCode: number | undefined; all: string }> {
    const { booted, knownHosts } = guest;
    const login = ["-F", "none", "-i", booted.keyFile, "-o", `UserKnownHostsFile=${knownHosts}`];
    const strict = ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"];
    const words = [...login, ...strict, `dweller@${booted.address}`, `set -e\n${script}`];
    const { exitCode, all } = await execa("ssh", words, { all: true, reject: false, stdin: "ignore" });
    return { exitCode, all };
  }

  it("is as the profile wants it: nothing to change, in one flight", async () => {
    const applied = await apply("full");

    expect(outcome(applied)).toEqual([0, []]);
    expect(eventsOf(applied, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
  });

  it("runs what is for everybody, and no failed unit without a GPU", async () => {
    const pin = (await shippedPins()).drivers?.["nvidia"]?.["debian-13"];

    expect(await guest.sh("systemctl is-active node_exporter auditd fluent-bit systemd-modules-load")).toBe(
      "active\nactive\nactive\nactive",
    );
    expect(await guest.sh("systemctl is-active containerd nvidia-persistenced nvidia-gpu-exporter")).toBe(
      "inactive\ninactive\ninactive",
    );
    expect(await guest.sh("systemctl list-units --failed --plain --no-legend")).toBe("");
    expect(await guest.sh("uname -r; modinfo -F version nvidia-current")).toBe(
      `${pin?.kernel}\n${pin?.version}`,
    );
    expect(await guest.sh("su nobody -s /bin/sh -c 'go; neovim'")).toMatch(/^go .*\nneovim /);
  });

  it("has the kernel watch what the rules say, and writes it as JSON by a laurel that is root no more", async () => {
    const wanted = await guest.sh("grep -c '^-a' /etc/audit/rules.d/50-provision.rules");
    expect(await guest.sh("auditctl -l | grep -c '^-a'")).toBe(wanted);
    await guest.sh("chmod 0644 /etc/passwd");

    const line = await guest.sh(
      "for try in 1 2 3 4 5 6 7 8 9 10; do grep -m1 '\"identity\"' /var/log/laurel/audit.log && break; sleep 1; done",
    );

    expect(JSON.parse(line)).toMatchObject({
      SYSCALL: { key: "identity", uid: expect.anything() as unknown },
    });
    expect(await guest.sh("ps -o user= -C laurel")).toBe("_laurel");
  });

  it("takes packages in a maintenance window alone, which closes again", async () => {
    const refused = await guest.sh("apt-get -y install hello 2>&1; echo $?");
    const maintained = await maintainGuest(guest.login.slice(1), "hello", (script) => guest.sh(script));

    expect(refused).toBe(`E: ${maintenanceSentence}\n100`);
    expect(maintained).toEqual({ exitCode: 0, errors: [], found: "installed ro" });
    expect(await guest.sh("touch /usr/x 2>&1")).toContain("Read-only file system");
  });

  it("gives a user who comes later ids of their own, after those of the one who came before", async () => {
    const made = await guest.sh(`
      useradd --create-home --shell /bin/bash dweller &&
      install -d -o dweller -g dweller -m 0700 ~dweller/.ssh &&
      install -o dweller -g dweller -m 0600 ~visitor/.ssh/authorized_keys ~dweller/.ssh/ &&
      grep -h ^dweller: /etc/subuid /etc/subgid`);

    expect(made).toMatch(/^dweller:(\d{6,}):65536\ndweller:\1:65536$/);
  });

  it("starts a container by the documented commands, whose root is that user", async () => {
    const [start = "", pack = "", container = "", boot = ""] = await documentedCommands(
      "docs/profiles/containerd.md",
      "A container by hand",
    );
    const uid = await guest.sh("id -u dweller");
    const first = await guest.sh("grep -h ^dweller: /etc/subuid | cut -d : -f 2");

    expect(await asDweller(start)).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining("Server:") as unknown,
    });
    expect(await asDweller(pack)).toMatchObject({ exitCode: 0 });
    const { exitCode, all } = await asDweller(container);

    expect([exitCode, all.trim().split(/\s+/)]).toEqual([0, ["0", uid, "1", "1", first, "65536"]]);
    expect(await asDweller(boot)).toMatchObject({ exitCode: 0 });
    expect(await asDweller("systemctl --user is-enabled containerd")).toMatchObject({ all: "enabled" });
  });

  it("says what to do when the user's containerd does not run", async () => {
    const { exitCode, all } = await asDweller("systemctl --user stop containerd; rootless-ctr version");

    expect([exitCode, all]).toEqual([
      1,
      expect.stringContaining("systemctl --user start containerd") as unknown,
    ]);
  });

  it("loads an AppArmor profile, and keeps the old one when the new one has a mistake", async () => {
    const good = "profile provision-test /usr/local/bin/provision-test {\n  /etc/hosts r,\n}\n";
    const applyProfile = async (content: string) => {
      const spec = join(guest.folder, "profile.yaml");
      const tasks = [{ apparmor: { name: "provision-test", content } }];
      await writeFile(spec, stringify({ base: "debian-13", tasks }));
      return apply(spec);
    };

    const first = await applyProfile(good);
    const second = await applyProfile(good);
    const bad = await applyProfile(good.replace(" r,", " rubbish"));

    expect(outcome(first)).toEqual([0, []]);
    expect(eventsOf(second, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    expect(bad.exitCode).toBe(5);
    expect(eventsOf(bad, "error")[0]).toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("at line 2: syntax error") as unknown,
      mend: expect.stringContaining("Correct the profile") as unknown,
    });
    expect(
      await guest.sh(
        "grep ^provision-test /sys/kernel/security/apparmor/profiles; cat /etc/apparmor.d/provision-test",
      ),
    ).toBe(`provision-test (enforce)\n${good.trim()}`);
  });
});
