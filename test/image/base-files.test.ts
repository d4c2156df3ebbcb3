import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";
import { parse } from "yaml";

import { baseFiles } from "../../src/provisioner/image/base-files.ts";
import { stateLayout } from "../../src/provisioner/core/state-layout.ts";
import { nvidiaDriver } from "../../src/tasks/nvidia-driver/index.ts";
import { noble, shippedTemplates, trixie } from "../support/bases.ts";

const base = baseFiles(trixie, shippedTemplates);
const text = (path: string) => base.files.find((file) => file.path === path)?.text ?? "";

it("mounts root writable, state with its check, and every moved directory from state", () => {
  expect(text("/etc/fstab")).toBe(
    [
      "LABEL=root / ext4 rw,errors=remount-ro 0 1",
      "LABEL=ESP /boot/efi vfat noauto,umask=0077 0 0",
      "LABEL=state /state ext4 defaults,nodev,nosuid,x-systemd.growfs 0 2",
      "/state/var/lib /var/lib none bind,x-systemd.requires-mounts-for=/state 0 0",
      "/state/var/log /var/log none bind,x-systemd.requires-mounts-for=/state 0 0",
      "/state/var/spool /var/spool none bind,x-systemd.requires-mounts-for=/state 0 0",
      "/state/home /home none bind,x-systemd.requires-mounts-for=/state 0 0",
      "/state/root /root none bind,x-systemd.requires-mounts-for=/state 0 0",
      "tmpfs /tmp tmpfs mode=1777,nodev,nosuid,size=50% 0 0",
      "tmpfs /var/tmp tmpfs mode=1777,nodev,nosuid,size=50% 0 0",
      "",
    ].join("\n"),
  );
});

it.each(Object.values(stateLayout.fstab))("has the line that sealing replaces: $open", ({ open, sealed }) => {
  expect(text("/etc/fstab").split("\n")).toContain(open);
  expect(sealed).not.toBe(open);
});

it("writes the archives for apt", () => {
  expect(base.sources).toBe(
    [
      "Types: deb",
      "URIs: http://archive.example/debian",
      "Suites: trixie trixie-updates",
      "Components: main",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
      "Types: deb",
      "URIs: http://archive.example/security",
      "Suites: trixie-security",
      "Components: main contrib",
      "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
      "",
      "",
    ].join("\n"),
  );
});

it("keeps the identity of a machine that boots once without its seed", () => {
  expect(parse(text("/etc/cloud/cloud.cfg.d/90-provision.cfg"))).toMatchObject({
    manual_cache_clean: true,
    datasource_list: ["NoCloud", "None"],
    users: [],
    growpart: { mode: "off" },
  });
});

it("leaves grub.cfg absent, which update-grub would write over", () => {
  expect(base.files.map(({ path }) => path)).not.toContain("/boot/grub/grub.cfg");
  expect(base.grubStub).toContain("configfile $prefix/provision.cfg");
  expect(text("/boot/grub/provision.cfg")).toMatch(/root=LABEL=root ro .*console=ttyS0,115200/);
});

it("lays no overlay until the marker is there", () => {
  const script = text("/etc/initramfs-tools/scripts/local-bottom/provision-state");

  expect(script).toContain(`[ -e "$rootmnt${stateLayout.marker}" ] || exit 0`);
  expect(script.indexOf(stateLayout.marker)).toBeLessThan(script.indexOf("mount -t overlay"));
});

it.each(base.files.filter(({ text: body }) => body.startsWith("#!/bin/sh")))(
  "has a script that sh can read and that may be run: $path",
  ({ text: body, mode }) => {
    execFileSync("sh", ["-n"], { input: body });

    expect(mode).toBe(0o755);
  },
);

it("masks what fails on a read-only root", () => {
  const masked = base.links.filter(({ target }) => target === "/dev/null").map(({ path }) => path);

  expect(masked).toContain("/etc/systemd/system/grub-common.service");
  expect(masked).toContain("/etc/systemd/system/grub-initrd-fallback.service");
  expect(new Set(masked).size).toBe(masked.length);
});

it.each([
  ["trixie", trixie, "linux /vmlinuz root=", "initrd /initrd.img"],
  ["noble", noble, "linux /boot/vmlinuz root=", "initrd /boot/initrd.img"],
] as const)("boots %s from where its links to the newest kernel are", (_, entry, kernel, initrd) => {
  const { files } = baseFiles(entry, shippedTemplates);
  const grub = files.find(({ path }) => path === "/boot/grub/provision.cfg")?.text;

  expect(grub).toContain(`\n${kernel}`);
  expect(grub).toContain(`\n${initrd}\n`);
});

it("has the files of a driver only where there is one, as the driver's task writes them", () => {
  const { files } = baseFiles({ ...trixie, driver: "nvidia" }, shippedTemplates);
  const more = files.filter(({ path }) => !base.files.some((each) => each.path === path));
  const written = new Map(more.map(({ path, text: body }) => [path, body]));

  expect([...written.keys()].toSorted()).toEqual([...(nvidiaDriver.owns?.({}) ?? [])].toSorted());
  expect(written.get("/etc/modprobe.d/provision-nvidia.conf")).toMatch(/^blacklist nouveau$/m);
  expect(written.get("/etc/udev/rules.d/90-provision-nvidia.rules")).toMatch(
    /TAG\+="systemd", ENV\{SYSTEMD_WANTS\}\+="nvidia-persistenced\.service"$/m,
  );
  expect(shippedTemplates("nvidia/device.rules", { persistence: false })).not.toContain("SYSTEMD_WANTS");
});

it("refuses to guess a value that a template lacks", () => {
  expect(() => shippedTemplates("base/state-grow", {})).toThrow(/must be given, is missing/);
});
