import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, it } from "vitest";
import { parse } from "yaml";

import { thisMachine } from "../../src/provisioner/doctor/machine.ts";
import { type Base, prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { layOutDisk, defaultSizes, offsetOf } from "../../src/provisioner/image/disk-layout.ts";
import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { program } from "../../src/provisioner/local/program.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { shippedTemplates } from "../support/bases.ts";
import { recordedRun } from "../support/recorded-run.ts";

const { run } = recordedRun();
const versions = join(import.meta.dirname, "../../versions.yaml");
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: process.getuid?.() === 0 });

let base: Base;
let raw: string;
let folder: string;

beforeAll(async () => {
  const manifest = parse(await readFile(versions, "utf8")) as Manifest;
  base = await prepareBase("debian-13", { ...settings, manifest, templates: shippedTemplates, run });
  folder = await mkdtemp(join(tmpdir(), "provision-base-"));
  raw = join(folder, "disk.raw");
  await program(["qemu-img", "convert", "-O", "raw", base.path, raw], { run });
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

/** What debugfs says of one of the two file systems; nothing is mounted. */
async function debugfs(which: "root" | "state", request: string): Promise<string> {
  const offset = offsetOf(layOutDisk(defaultSizes, base.key)[which]);
  return program(["debugfs", "-R", request, `${raw}?offset=${offset}`], { run });
}

async function names(which: "root" | "state", directory: string): Promise<string[]> {
  const listed = await debugfs(which, `ls -p ${directory}`);
  return listed
    .split("\n")
    .map((line) => line.split("/")[5] ?? "")
    .filter((name) => name !== "" && name !== "." && name !== "..");
}

it("finds the base in the cache at once when it is asked for again", async () => {
  const manifest = parse(await readFile(versions, "utf8")) as Manifest;

  const again = await prepareBase("debian-13", { ...settings, manifest, templates: shippedTemplates, run });

  expect(again).toEqual({ ...base, cached: true });
});

it("has a partition table with state last, and clean file systems", async () => {
  const table = JSON.parse(await program(["sfdisk", "--json", raw], { run })) as {
    partitiontable: { id: string; partitions: { name: string; start: number; uuid: string }[] };
  };
  const layout = layOutDisk(defaultSizes, base.key);

  expect(table.partitiontable.id.toLowerCase()).toBe(layout.id);
  expect(table.partitiontable.partitions.map(({ name }) => name)).toEqual(["ESP", "root", "state"]);
  for (const which of ["root", "state"] as const) {
    await program(["e2fsck", "-fn", `${raw}?offset=${offsetOf(layout[which])}`], { run });
    expect(await debugfs(which, "show_super_stats -h")).toMatch(new RegExp(`volume name:\\s+${which}$`, "m"));
  }
});

it("boots by the distribution's signed chain from the path that firmware tries by itself", async () => {
  const esp = `${raw}@@${offsetOf(layOutDisk(defaultSizes, base.key).esp)}`;

  const listed = await program(["mdir", "-b", "-/", "-i", esp, "::"], { run });

  expect(listed.split("\n")).toEqual(
    expect.arrayContaining([
      "::/EFI/BOOT/BOOTX64.EFI",
      "::/EFI/BOOT/grubx64.efi",
      "::/EFI/debian/grub.cfg",
      "::/EFI/BOOT/grub.cfg",
    ]),
  );
});

it("keeps the package database on root, and links to it from state", async () => {
  for (const { path, kept } of stateLayout.packageDatabase)
    expect(await debugfs("state", `stat ${path}`)).toContain(`Fast link dest: "${kept}"`);
  expect(await debugfs("root", "cat /usr/lib/sysimage/dpkg/status")).toContain("Package: openssh-server\n");
});

it("has the moved directories on state, and empty mount points on root", async () => {
  expect(await names("state", "/var/lib")).toContain("systemd");
  expect(await names("state", "/etc")).toEqual(expect.arrayContaining(["upper", "work"]));
  for (const path of stateLayout.moved) expect([path, await names("root", path)]).toEqual([path, []]);
});

it("has the hook and the checkers in its initramfs", async ({ skip }) => {
  if (!(await thisMachine(folder, run).has("zstd"))) skip("zstd is not installed here: cannot look inside");
  const image = join(folder, "initrd");
  const link = /Fast link dest: "(.*)"/.exec(await debugfs("root", "stat /initrd.img"))?.[1];
  await debugfs("root", `dump /${link} ${image}`);

  const listed = await contentsOf(image);

  expect(listed).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/scripts\/local-bottom\/provision-state$/),
      expect.stringMatching(/sbin\/e2fsck$/),
      expect.stringMatching(/sbin\/fsck$/),
      expect.stringMatching(/sbin\/logsave$/),
      expect.stringMatching(/overlay\.ko/),
    ]),
  );
  // Says what it was made with: the task readonly-root makes it again when this is another, and reads no further.
  expect(listed.find((name) => name.startsWith(`${stateLayout.initramfsStamp.slice(1)}/`))).toMatch(
    /\/[0-9a-f]{16}$/,
  );
  expect((await readFile(image)).indexOf(stateLayout.initramfsStamp)).toBeLessThan(1024);
});

it("carries no identity", async () => {
  expect(await debugfs("root", "stat /etc/machine-id")).toMatch(/Size: 0$/m);
  expect((await names("root", "/etc/ssh")).filter((name) => name.startsWith("ssh_host_"))).toEqual([]);
  const etc = await names("root", "/etc");
  expect(etc.filter((name) => /^hostname$|^\.resolv|-$/.test(name))).toEqual([]);
  expect(await debugfs("root", "stat /etc/resolv.conf")).toContain("../run/systemd/resolve/stub-resolv.conf");
  expect(await names("state", "/home")).toEqual([]);
});

it("boots writable: the marker is absent and root is rw", async () => {
  const etc = await names("root", "/etc");

  expect(etc).not.toContain(stateLayout.marker.slice("/etc/".length));
  expect((await debugfs("root", "cat /etc/fstab")).split("\n")[0]).toBe(stateLayout.fstab.root.open);
});

/** Paths in an initramfs: cpio archives one behind the other, the last of them compressed by zstd. */
async function contentsOf(image: string): Promise<string[]> {
  const bytes = await readFile(image);
  const start = bytes.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", `tail -c +${start + 1} "$1" | zstd -dc`, "sh", image],
    {
      encoding: "buffer",
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  return [...archived(bytes.subarray(0, start)), ...archived(stdout)];
}

/** Names in a cpio archive of the "new ASCII" format, cpio(5). */
function archived(archive: Buffer): string[] {
  const found: string[] = [];
  const field = (at: number, index: number) =>
    Number.parseInt(archive.toString("latin1", at + 6 + index * 8, at + 14 + index * 8), 16);
  for (let at = archive.indexOf("070701"); at >= 0 && at < archive.length;) {
    const nameLength = field(at, 11);
    found.push(archive.toString("latin1", at + 110, at + 109 + nameLength));
    const next = at + padded(110 + nameLength) + padded(field(at, 6));
    at = archive.indexOf("070701", next);
  }
  return found;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
