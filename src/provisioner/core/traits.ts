import { knownReleases, type Release } from "./distribution.ts";

/** What differs between the releases, as far as anything here depends on it. */
export interface Traits {
  /** As repositories name it. */
  readonly codename: string;
  /** Stable links to the newest kernel and its initramfs, as the boot loader sees them from root. */
  readonly kernel: string;
  readonly initrd: string;
  /** The shim that Microsoft signed, as a file: the name without `.latest` may be a link out of an unpacked tree. */
  readonly shim: string;
  /** Folder of the ESP that is built into the signed GRUB. */
  readonly espFolder: string;
}

const debian: Omit<Traits, "codename"> = {
  kernel: "/vmlinuz",
  initrd: "/initrd.img",
  shim: "/usr/lib/shim/shimx64.efi.signed",
  espFolder: "debian",
};

/** By release. Debian 12 and 13 differ in nothing but the name. */
export const traits: Readonly<Record<Release, Traits>> = {
  "debian-12": { codename: "bookworm", ...debian },
  "debian-13": { codename: "trixie", ...debian },
  "ubuntu-24.04": {
    codename: "noble",
    kernel: "/boot/vmlinuz",
    initrd: "/boot/initrd.img",
    shim: "/usr/lib/shim/shimx64.efi.signed.latest",
    espFolder: "ubuntu",
  },
};

/** The traits of a distribution by its name; `undefined` for one that provision does not know. */
export function traitsOf(name: string): Traits | undefined {
  const release = knownReleases.find((each) => each === name);
  return release && traits[release];
}
