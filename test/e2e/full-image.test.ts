import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

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
import { packedBusybox } from "../support/busybox-image.ts";
import { type DeployProject, endingOf, openDeployProject } from "../support/deploy-project.ts";
import { type DeployedGuest, openGuest } from "../support/deployed-guest.ts";
import { documentedCommands } from "../support/documented-commands.ts";
import { type DotfilesRemote, openDotfilesRemote } from "../support/dotfiles-remote.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { maintainGuest } from "../support/maintain-guest.ts";
import { type MirroredProject, openMirroredProject } from "../support/mirrored-project.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { gatewayOf, shippedPins } from "../support/shipped-project.ts";
import { type WireguardKeys, wireguardKeys } from "../support/wireguard-keys.ts";

// One build of all that is shipped, whose own verification boots it three times, and two hosts deployed from it.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

/** Long: without KVM, and where the cache has no base with the driver, which is compiled for it. */
const LONG_MS = 3_600_000;

let shipped: MirroredProject;
let images: string;
let env: Record<string, string>;
let built: LaunchedRun;
let image: string;
let manifest: Manifest;

beforeAll(async () => {
  images = await mkdtemp(join(tmpdir(), "provision-images-"));
  await program(["chmod", "0755", images], { run });
  shipped = await openMirroredProject(settings.cacheDir, run);
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

describe("hosts of the full image", { shuffle: false }, () => {
  let project: DeployProject;
  let remote: DotfilesRemote;
  let guest: DeployedGuest;
  let far: DeployedGuest;
  const [webAddress, farAddress] = [61, 62].map((last) => `192.168.122.${last + (process.pid % 60)}`);

  beforeAll(async () => {
    const gateway = await gatewayOf("default", run);
    project = await openDeployProject({
      defaults: { image: "full", memoryMiB: 2048, disk: { sizeGiB: 16 } },
      env,
      root: shipped.project.home,
    });
    remote = await openDotfilesRemote(gateway);
    const [webKeys, farKeys] = await Promise.all([
      wireguardKeys(project.folder, "web"),
      wireguardKeys(project.folder, "far"),
    ]);
    const card = (address: string | undefined) => ({
      network: "default",
      interface: "lan0",
      addresses: [`${address}/24`],
      gateways: [gateway],
      dns: { servers: [gateway] },
    });
    const tunnel = (
      own: WireguardKeys,
      other: WireguardKeys,
      [ownEnd, otherEnd]: readonly number[],
      at?: string,
    ) => ({
      wireguard: {
        interface: "wg0",
        address: [`10.66.0.${ownEnd}/24`],
        listenPort: 51820,
        privateKey: { file: own.privateFile },
        peers: [
          {
            publicKey: other.publicKey,
            allowedIps: [`10.66.0.${otherEnd}/32`],
            ...(at !== undefined && { endpoint: `${at}:51820`, keepalive: 5 }),
          },
        ],
      },
    });
    const user = (name: string) => ({ name, keys: [{ file: `${project.keyFile}.pub` }] });
    await project.writeHost("web", {
      networks: [card(webAddress)],
      timezone: "Europe/Berlin",
      users: [{ ...user("visitor"), sudo: true }, user("alice")],
      tasks: [
        { "login-shell": { user: "alice", shell: "/usr/bin/zsh" } },
        {
          dotfiles: {
            user: "alice",
            repository: remote.url,
            ref: "v1",
            commit: remote.commit,
            links: { ".zshrc": "zshrc", ".tmux.conf": "tmux.conf" },
          },
        },
        { "rootless-containerd": { user: "alice" } },
        { "node-exporter": { port: 9111 } },
        tunnel(webKeys, farKeys, [1, 2], farAddress),
      ],
    });
    await project.writeHost("far", {
      networks: [card(farAddress)],
      users: [{ ...user("visitor"), sudo: true }],
      memoryMiB: 1024,
      tasks: [tunnel(farKeys, webKeys, [2, 1])],
    });
    const deployed = await project.run("deploy", "web", "far", "--parallel", "2");
    for (const { message } of eventsOf(deployed, "error")) throw new Error(message);
    guest = await openGuest(project, "web", webAddress ?? "");
    far = await openGuest(project, "far", farAddress ?? "");
    await guest.put("alice", "hello.tar", await packedBusybox(shipped.containers, project.folder));
  });

  afterAll(async () => {
    await remote?.[Symbol.asyncDispose]();
    await project?.[Symbol.asyncDispose]();
  });

  const apply = (spec: string, to = guest) =>
    launch(["apply", "--spec", spec, ...to.login], { env: { ...env, PROVISION_IMAGES: images } });

  /** A login that is no login shell knows nothing of programs in the home. */
  const asAlice = (script: string) =>
    guest.as("alice", `export PATH=$HOME/.local/bin:/usr/sbin:/sbin:$PATH\n${script}`);

  const asDweller = (script: string) => guest.as("dweller", script);

  it("are all as their files say: nothing to change, in one flight each", async () => {
    const again = await project.run("deploy", "--all");

    expect(endingOf(again)).toEqual([0, []]);
    expect(eventsOf(again, "result")[0]?.data).toMatchObject({
      hosts: ["far", "web"].map((name) => ({
        name,
        machine: "as wanted",
        tasks: { changed: 0, flights: 1 },
      })),
    });
  });

  it("are who their files say, on a root that nobody writes to", async () => {
    expect(
      await guest.sh(
        "hostname; findmnt -no OPTIONS / | cut -d, -f1; touch /usr/x 2>&1; df --output=size -BG /state | tail -1 | tr -d ' '",
      ),
    ).toMatch(/^web\nro\ntouch: .*Read-only file system\n\d+G$/);
    expect(
      await guest.sh(
        "awk -F: '$3 >= 1000 && $3 < 60000 {print $1}' /etc/passwd; timedatectl show -p Timezone --value",
      ),
    ).toBe("visitor\nalice\nEurope/Berlin");
  });

  it("have a user's settings, shell and containers, all below the home", async () => {
    const { all } = await asAlice(
      'echo $SHELL; zsh -ic "echo \\$FROM_DOTFILES" 2>/dev/null; systemctl --user is-active containerd; nerdctl; id -u',
    );
    const [uid = ""] = all.split("\n").slice(-1);

    expect(all.split("\n").slice(0, -1)).toEqual([
      "/usr/bin/zsh",
      "v1",
      "active",
      expect.stringMatching(/^nerdctl \d/),
    ]);
    expect(await containerOfAlice()).toMatch(new RegExp(String.raw`^0 ${uid} 1 1 \d{6,} 65536$`));
    expect(
      await guest.sh(
        "find /var/lib/containerd /run/containerd -mindepth 1 2>/dev/null; ls ~alice/.local/share/containerd | grep -c content",
      ),
    ).toBe("1");
  });

  it("answer with their metrics, and reach each other through their tunnel", async () => {
    const metrics = await fetch(`http://${webAddress}:9111/metrics`);

    expect(await metrics.text()).toContain("node_boot_time_seconds");
    expect(await guest.sh("ping -c 3 -w 60 -i 0.5 10.66.0.2 | grep -c 'bytes from'")).toBe("3");
    expect((await project.ssh("far", "ping -c 2 -w 60 10.66.0.1 | grep -c 'bytes from'")).all).toBe("2");
  });

  it("are the same after a reboot, with containers that run again and no failed unit", async () => {
    const off = await project.run("stop", "web");
    const on = await project.run("start", "web");
    await guest.waitUntilUp("alice");
    const again = await project.run("deploy", "web");

    expect([endingOf(off), endingOf(on), endingOf(again)]).toEqual([
      [0, []],
      [0, []],
      [0, []],
    ]);
    expect(eventsOf(again, "result")[0]?.data).toMatchObject({
      hosts: [{ machine: "as wanted", tasks: { changed: 0 } }],
    });
    expect(await guest.sh("systemctl is-system-running --wait; systemctl --failed --no-legend --plain")).toBe(
      "running",
    );
    expect(await containerOfAlice()).toMatch(/^0 \d+ 1 1/);
    expect(await guest.sh("ping -c 2 -w 60 10.66.0.2 | grep -c 'bytes from'")).toBe("2");
  });

  /** A container of alice's own containerd; says how its numbers are mapped. */
  async function containerOfAlice(): Promise<string> {
    const { all } = await asAlice(
      "containerd-rootless-setuptool.sh nsenter -- sh -eu -c '" +
        "ctr image import --snapshotter native hello.tar >/dev/null; " +
        'ctr run --rm --snapshotter native --cpu-shares 0 --cgroup "" docker.io/local/hello:latest hello ' +
        "/bin/busybox cat /proc/self/uid_map'",
    );
    return all.trim().split(/\s+/).join(" ");
  }

  it("are as the profile wants it where nothing else was settled: nothing to change, in one flight", async () => {
    const applied = await apply("full", far);

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
      const spec = join(project.folder, "profile.yaml");
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
