import { expect, it } from "vitest";

import { baseFiles } from "../../src/provisioner/image/base-files.ts";
import { inputsOf } from "../../src/provisioner/image/bootstrap-inputs.ts";
import { noble, shippedTemplates, trixie } from "../support/bases.ts";

function stepsOf(entry: typeof trixie) {
  return inputsOf({ entry, epoch: 1_700_000_000, files: baseFiles(entry, shippedTemplates) }).steps;
}

const steps = stepsOf(trixie);
const lines = steps.map(({ argv }) => argv.join(" "));

it("moves the package database out of /var/lib before /var/lib goes to the state tree", () => {
  const database = lines.indexOf("mv /ROOT/var/lib/dpkg /ROOT/usr/lib/sysimage/dpkg");
  const moved = lines.indexOf("mv /ROOT/var/lib /STATE/var/lib");

  expect(database).toBeGreaterThan(-1);
  expect(moved).toBeGreaterThan(database);
  expect(lines).toContain("ln --symbolic /usr/lib/sysimage/dpkg /ROOT/var/lib/dpkg");
});

it.each(["/var/lib", "/var/log", "/var/spool", "/home", "/root"])(
  "leaves a mount point like the original at %s",
  (path) => {
    expect(lines).toContain(`mkdir /ROOT${path}`);
    expect(lines).toContain(`chmod --reference=/STATE${path} /ROOT${path}`);
  },
);

it("keeps file capabilities, and makes no device nodes, when it unpacks", () => {
  const unpack = lines.find((line) => line.startsWith("tar --extract"));

  expect(unpack).toContain("--xattrs --xattrs-include=*");
  expect(unpack).toContain("--exclude=./dev/*");
});

it("writes the file systems into the disk file at their offsets, with no lazy work left to a guest", () => {
  const made = lines.filter((line) => line.startsWith("mkfs.ext4"));

  expect(made).toEqual([
    expect.stringMatching(/-L root .*offset=68157440,.*lazy_itable_init=0,lazy_journal_init=0/),
    expect.stringMatching(/-L state .*offset=6510608384,/),
  ]);
});

it("uses neither mount nor a loop device", () => {
  expect(lines.filter((line) => /^(mount|umount|losetup|kpartx|guestmount)\b/.test(line))).toEqual([]);
});

it("hands mmdebstrap our files before the kernel is installed", () => {
  const bootstrap = steps.find(({ argv }) => argv[0] === "mmdebstrap");

  expect(bootstrap?.argv).toContain("--essential-hook=tar-in /SKELETON.tar /");
  expect(bootstrap?.argv).toContain("--include=linux-image-cloud-amd64,openssh-server");
});

it("leaves no key that dkms made, and no host keys", () => {
  const hooks = steps.flatMap(({ argv }) => argv).filter((word) => word.startsWith("--customize-hook=rm"));

  expect(hooks.join("\n")).toContain('"$1"/var/lib/dkms/mok.key "$1"/var/lib/dkms/mok.pub');
  expect(hooks.join("\n")).toContain('"$1"/etc/ssh/ssh_host_*');
});

it("packs the files as root's, whoever builds", () => {
  expect(lines[0]).toContain("--owner=0 --group=0 --numeric-owner --mtime=@1700000000 --no-recursion");
  expect(lines[0]).toContain(" etc/fstab ");
});

it.each([
  ["trixie", trixie, "shimx64.efi.signed", "debian"],
  ["noble", noble, "shimx64.efi.signed.latest", "ubuntu"],
] as const)("boots %s by its vendor's signed shim and GRUB", (_, entry, shim, vendor) => {
  const all = stepsOf(entry).map(({ argv }) => argv.join(" "));

  expect(all.filter((line) => line.startsWith("mcopy"))).toEqual([
    expect.stringContaining(`/ROOT/usr/lib/shim/${shim} ::EFI/BOOT/BOOTX64.EFI`),
    expect.stringContaining("::EFI/BOOT/grubx64.efi"),
    expect.stringContaining(`/GRUB-STUB ::EFI/${vendor}/grub.cfg`),
    expect.stringContaining("/GRUB-STUB ::EFI/BOOT/grub.cfg"),
  ]);
  expect(all.find((line) => line.startsWith("mmd "))).toMatch(new RegExp(` ::EFI/${vendor}$`));
  expect(all.some((line) => line.includes(`sources.list.d/${vendor}.sources`))).toBe(true);
});
