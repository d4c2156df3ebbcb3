import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { layOutDisk, defaultSizes, offsetOf } from "../../src/provisioner/image/disk-layout.ts";
import { prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { shippedTemplates } from "../support/bases.ts";
import { type DeployProject, endingOf, openDeployProject } from "../support/deploy-project.ts";
import { killAlone } from "../support/kill-alone.ts";
import { eventsOf, launch } from "../support/launcher.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { gatewayOf, shippedPins } from "../support/shipped-project.ts";
import { startSshServer } from "../support/ssh-server.ts";

// Hosts from a base as it is: who they are and what their hypervisor does matters here, not what is in the image.
const { run } = recordedRun();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });
const virsh = (...args: readonly string[]) => execa("virsh", ["-q", "-c", "qemu:///system", ...args]);

let project: DeployProject;
let image: string;
let gateway: string;
let address: string;
let one: Record<string, unknown>;

beforeAll(async () => {
  const manifest = await shippedPins();
  ({ path: image } = await prepareBase("debian-13", {
    ...settings,
    manifest,
    templates: shippedTemplates,
    run,
  }));
  gateway = await gatewayOf("default", run);
  address = gateway.replace(/\d+$/, String(200 + (process.pid % 50)));
  project = await openDeployProject({ defaults: { image, memoryMiB: 768 } });
  one = {
    disk: { sizeGiB: 12 },
    extraDisks: [{ name: "data", sizeGiB: 1 }],
    timezone: "Europe/Berlin",
    networks: [
      {
        network: "default",
        interface: "lan0",
        addresses: [`${address}/24`],
        gateways: [gateway],
        dns: { servers: [gateway] },
      },
    ],
    tasks: [{ directory: { path: "/srv/share", group: "adm", mode: "2775" } }],
  };
  await project.writeHost("one", one);
});

afterAll(() => project[Symbol.asyncDispose]());

const data = (done: Awaited<ReturnType<typeof launch>>) =>
  eventsOf(done, "result")[0]?.data as { readonly hosts: readonly Record<string, unknown>[] };

// One story: what is done to a host is done in this order.
describe("a deployed host", { shuffle: false }, () => {
  it("says what it would do, and does nothing of it", async () => {
    const planned = await project.run("deploy", "one", "--check");

    expect(endingOf(planned)).toEqual([3, []]);
    expect(data(planned).hosts).toEqual([expect.objectContaining({ name: "one", machine: "made" })]);
    expect([await project.domains(), await project.volumes()]).toEqual([[], []]);
  });

  it("makes one host of two when the other's boot is broken, and says of that one how its console ended", async () => {
    await project.writeHost("broken", { image: await brokenImage(project.folder) });

    const done = await project.run("deploy", "one", "broken");

    expect(done.exitCode).toBe(4);
    const errors = eventsOf(done, "error");
    expect(errors).toEqual([expect.objectContaining({ code: "GUEST_DIED", where: "broken" })]);
    expect(errors[0]?.message).toContain("Kernel panic - not syncing");
    expect(data(done).hosts).toEqual([
      expect.objectContaining({ name: "one", machine: "made" }),
      expect.objectContaining({ name: "broken", outcome: "failed" }),
    ]);
    expect(await project.domains()).toEqual(["one"]);
    expect(await project.volumes()).toEqual([
      "one-console.log",
      "one-seed.img",
      "one.disk-data.qcow2",
      "one.qcow2",
    ]);
  });

  it("is what its file says", async () => {
    const { all } = await project.ssh(
      "one",
      "hostname; ip -4 -br addr show lan0; timedatectl show -p Timezone --value; id -un; sudo id -un; " +
        "lsblk -dno SIZE /dev/disk/by-id/virtio-data; stat -c '%G %a' /srv/share; systemctl is-system-running",
    );

    expect(all.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "))).toEqual([
      "one",
      `lan0 UP ${address}/24`,
      "Europe/Berlin",
      "admin",
      "root",
      "1G",
      "adm 2775",
      "running",
    ]);
    expect((await project.ssh("one", "df --output=size -BG /state | tail -1")).all.trim()).toMatch(
      /^[4-9]G$/,
    );
  });

  it("lets in who is named, by the named key, and nobody else", async () => {
    const known = ["-o", "HostKeyAlias=one", "-o", `UserKnownHostsFile=${knownHosts()}`];
    const login = async (user: string, key: string) =>
      execa(
        "ssh",
        [
          "-F",
          "none",
          "-i",
          key,
          "-o",
          "BatchMode=yes",
          "-o",
          "IdentitiesOnly=yes",
          ...known,
          `${user}@${address}`,
          "true",
        ],
        { reject: false },
      );
    const other = join(project.folder, "other-key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", other]);

    const tries = await Promise.all([
      login("admin", project.keyFile),
      login("admin", other),
      login("root", project.keyFile),
      login("debian", project.keyFile),
    ]);

    expect(tries.map(({ exitCode }) => exitCode)).toEqual([0, 255, 255, 255]);
    expect(
      (
        await project.ssh(
          "one",
          "sudo passwd -S admin | cut -d ' ' -f 2; awk -F: '$3 >= 1000 && $3 < 60000 {print $1}' /etc/passwd",
        )
      ).all,
    ).toBe("L\nadmin");
  });

  it("has a seed that holds no private key any more", async () => {
    const seed = await readFile(join(project.folder, "pool", "one-seed.img"));

    expect(seed.includes("local-hostname")).toBe(true);
    expect(seed.includes("PRIVATE KEY")).toBe(false);
  });

  it("changes nothing when run again, with one login and one flight", async () => {
    const again = await project.run("deploy", "one");

    expect(endingOf(again)).toEqual([0, []]);
    expect(data(again).hosts).toEqual([
      expect.objectContaining({
        machine: "as wanted",
        tasks: expect.objectContaining({ changed: 0, flights: 1 }) as unknown,
      }),
    ]);
  });

  it("keeps its address from everybody else", async () => {
    await project.writeHost("rival", {
      networks: [{ network: "default", mac: "52:54:00:aa:bb:01", addresses: [`${address}/24`] }],
    });

    const clash = await project.run("deploy", "rival");
    await rm(join(project.folder, "hosts", "one.yaml"));
    const taken = await project.run("deploy", "rival");
    await project.writeHost("one", one);
    await rm(join(project.folder, "hosts", "rival.yaml"));

    expect(endingOf(clash)).toEqual([2, [expect.stringContaining("is that of one")]]);
    expect(endingOf(taken)).toEqual([4, [expect.stringMatching(/^ADDRESS_TAKEN: .* kept for one$/)]]);
    expect(await project.domains()).toEqual(["one"]);
  });

  it("is worked on by one run at a time; the second finds all as wanted", async () => {
    const both = await Promise.all([project.run("deploy", "one"), project.run("deploy", "one")]);

    expect(both.map((done) => endingOf(done))).toEqual([
      [0, []],
      [0, []],
    ]);
  });

  it("changes in place what can be, restarting it for what takes that, and nothing for a new image", async () => {
    const users = [
      { name: "admin", keys: [{ file: `${project.keyFile}.pub` }], sudo: true, groups: ["adm"] },
      { name: "bob", keys: [{ file: `${project.keyFile}.pub` }], shell: "/bin/sh" },
    ];
    await project.writeHost("one", { ...one, memoryMiB: 896, autostart: false, users });

    const changed = await project.run("deploy", "one");
    const again = await project.run("deploy", "one");
    const { all } = await project.ssh(
      "one",
      "id -nG; getent passwd bob | cut -d: -f7; sudo ls /home/bob/.ssh",
    );
    await project.writeHost("one", { ...one, memoryMiB: 896, autostart: false });
    const without = await project.run("deploy", "one");
    const after = await project.ssh("one", "getent passwd bob; ls -d /home/bob");
    await project.writeHost("one", { ...one, disk: { sizeGiB: 9, mode: "copy" }, memoryMiB: 896 });
    const refused = await project.run("deploy", "one");
    await project.writeHost("one", { ...one, memoryMiB: 896, autostart: false });

    expect(endingOf(changed)).toEqual([0, []]);
    expect(data(changed).hosts[0]).toMatchObject({
      machine: "changed",
      changes: [
        { what: "memory", from: "768 MiB", to: "896 MiB", how: "restart" },
        { what: "autostart", from: "on", to: "off", how: "at once" },
      ],
    });
    expect(data(again).hosts[0]).toMatchObject({ machine: "as wanted", tasks: { changed: 0 } });
    expect(all).toBe("admin adm\n/bin/sh\nauthorized_keys");
    expect(endingOf(without)).toEqual([0, []]);
    expect(after.all).toBe("/home/bob");
    expect(endingOf(refused)).toEqual([
      2,
      [expect.stringMatching(/^HOST_NEEDS_REPLACE: .*disk mode overlay → copy/)],
    ]);
  });

  it("is followed to another address, by a change that it would take back if nobody came", async () => {
    address = gateway.replace(/\d+$/, String(150 + (process.pid % 50)));
    const [card] = one["networks"] as readonly object[];
    one = { ...one, memoryMiB: 896, networks: [{ ...card, addresses: [`${address}/24`] }] };
    await project.writeHost("one", { ...one, autostart: false });

    const moved = await project.run("deploy", "one");
    const again = await project.run("deploy", "one");

    expect(endingOf(moved)).toEqual([0, []]);
    expect(data(moved).hosts[0]).toMatchObject({ machine: "as wanted", tasks: { changed: 1 } });
    expect(data(again).hosts[0]).toMatchObject({ machine: "as wanted", tasks: { changed: 0, flights: 1 } });
    expect((await project.ssh("one", "ip -4 -br addr show lan0; ls /run/provision-guard")).all).toMatch(
      new RegExp(String.raw`^lan0 +UP +${address}/24 *\n?`),
    );
    expect((await virsh("net-dumpxml", "default")).stdout).toContain(`name='one' ip='${address}'`);
  });

  it("stays itself when it boots once without its seed", async () => {
    await project.run("stop", "one");
    await virsh("detach-disk", "one", "vdc", "--config");
    const started = await project.run("start", "one");
    const again = await project.run("deploy", "one");

    expect(endingOf(started)).toEqual([0, []]);
    expect(endingOf(again)).toEqual([0, []]);
    expect(
      (
        await project.ssh(
          "one",
          "hostname; systemctl is-system-running --wait; systemctl --failed --no-legend",
        )
      ).all,
    ).toBe("one\nrunning");
  });

  it("is not talked to when its host key is another", async () => {
    await project.ssh(
      "one",
      "sudo sh -c 'cd /etc/ssh && cp -p ssh_host_ed25519_key kept && rm ssh_host_ed25519_key && ssh-keygen -q -t ed25519 -N \"\" -f ssh_host_ed25519_key && systemctl restart ssh'",
    );

    const refused = await project.run("deploy", "one");

    expect(endingOf(refused)).toEqual([4, [expect.stringMatching(/^HOST_KEY_DIFFERS: .*SHA256:.*SHA256:/s)]]);
  });

  it("leaves nothing when it is stopped half-way, and is done when it is run again after a crash", async () => {
    await using _alone = await killAlone();
    await project.writeHost("three", {});
    const interrupt = (signal: NodeJS.Signals) =>
      launch(["deploy", "three"], {
        env: project.env,
        seen: (event, pid) => {
          if (event.kind === "step-started" && event.title === "Wait for SSH") process.kill(-pid, signal);
        },
      });

    const stopped = await interrupt("SIGINT");
    const afterStop = [await project.domains(), await project.volumes()];
    await interrupt("SIGKILL");
    const afterKill = await project.domains();
    const server = await startSshServer();
    try {
      // The way a hypervisor that is another machine is reached: libvirt's own ssh, and through it to the guest.
      await project.writeHost("three", { hypervisor: await overSsh(server) });
      const done = await project.run("deploy", "three");
      const again = await project.run("deploy", "three");
      const login = await project.ssh("three", "hostname; echo $SSH_CONNECTION | cut -d ' ' -f 1");
      const purged = await project.run("destroy", "three", "--purge", "--yes");

      expect(endingOf(done)).toEqual([0, []]);
      expect(data(done).hosts[0]).toMatchObject({ machine: "made" });
      expect(data(again).hosts[0]).toMatchObject({ machine: "as wanted", tasks: { flights: 1 } });
      expect(login.all).toBe(`three\n${gateway}`);
      // Each run is let in for libvirt, and all but the last for the way to the host.
      expect((await server.log()).match(/Accepted publickey/g)?.length).toBeGreaterThan(6);
      expect(endingOf(purged)).toEqual([0, []]);
    } finally {
      await server[Symbol.asyncDispose]();
    }

    expect(stopped.exitCode).toBe(130);
    expect(afterStop[0]).toEqual(["one"]);
    expect(afterStop[1]?.filter((name) => name.startsWith("three"))).toEqual([]);
    expect(afterKill.toSorted()).toEqual(["one", "three"]);
  });

  it("is destroyed, and its disks stay: they then are in the way of a new host of that name", async () => {
    const destroyed = await project.run("destroy", "one", "--yes");
    const refused = await project.run("deploy", "one");

    expect(endingOf(destroyed)).toEqual([0, []]);
    expect(await project.volumes()).toEqual(["one.disk-data.qcow2", "one.qcow2"]);
    expect(endingOf(refused)).toEqual([4, [expect.stringMatching(/^DISK_IN_THE_WAY/)]]);
  });

  it("leaves no domain, no volume, no kept address and no known host with --purge", async () => {
    const purged = await project.run("destroy", "one", "--purge", "--yes");
    const again = await project.run("destroy", "one", "--purge", "--yes");
    const { stdout: network } = await virsh("net-dumpxml", "default");

    expect([endingOf(purged), endingOf(again)]).toEqual([
      [0, []],
      [0, []],
    ]);
    expect([await project.domains(), await project.volumes()]).toEqual([[], []]);
    expect(network).not.toContain(address);
    expect(await readFile(knownHosts(), "utf8")).not.toMatch(/^one /m);
  });

  it("leaves the image for the next host, and gc finds it when none stands on it for a while", async () => {
    const images = async () =>
      new Set(
        (await project.run("gc", "--check")).events.flatMap((event) =>
          event.kind === "result"
            ? (JSON.stringify(event.data).match(/provision-image-debian-13-[^"]*qcow2"/g) ?? [])
            : [],
        ),
      );
    const fresh = await images();
    await execa("find", [
      join(project.folder, "pool"),
      "-type",
      "f",
      "-exec",
      "touch",
      "-d",
      "-2 days",
      "{}",
      "+",
    ]);

    expect([fresh.size, (await images()).size]).toEqual([0, 1]);
  });
});

function knownHosts(): string {
  return join(project.home, ".local/state/provision/known_hosts");
}

/** An image whose kernel finds no first program, and gives up. */
async function brokenImage(folder: string): Promise<string> {
  const [raw, config, broken] = [
    join(folder, "disk.raw"),
    join(folder, "boot.cfg"),
    join(folder, "broken.qcow2"),
  ];
  await program(["qemu-img", "convert", "-O", "raw", image, raw], { run });
  const device = `${raw}?offset=${offsetOf(layOutDisk(defaultSizes, "0".repeat(64)).root)}`;
  const text = await program(["debugfs", "-R", "cat /boot/grub/provision.cfg", device], { run });
  await writeFile(config, `${text.replace(/^(\s*linux .*)$/m, "$1 rdinit=/none root=/none")}\n`);
  await program(["debugfs", "-w", "-R", "rm /boot/grub/provision.cfg", device], { run });
  await program(["debugfs", "-w", "-R", `write ${config} /boot/grub/provision.cfg`, device], { run });
  await program(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, broken], { run });
  await rm(raw);
  return broken;
}

/** libvirt's URI of this machine by way of an sshd of the test; ssh's settings come from a file of the test. */
async function overSsh(server: Awaited<ReturnType<typeof startSshServer>>): Promise<string> {
  const [config, command] = [join(project.folder, "ssh_config"), join(project.folder, "ssh")];
  const known = join(project.home, ".ssh", "known_hosts");
  await writeFile(known, server.knownHosts);
  await writeFile(config, `Host *\n  UserKnownHostsFile ${known}\n`);
  await writeFile(command, `#!/bin/sh\nexec ssh -F ${config} "$@"\n`);
  await chmod(command, 0o755);
  return `qemu+ssh://${server.user}@127.0.0.1:${server.port}/system?command=${command}&keyfile=${server.keyFile}`;
}
