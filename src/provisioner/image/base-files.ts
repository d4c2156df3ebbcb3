import type { RenderTemplate } from "../core/templates.ts";
import type { BootstrapEntry } from "../pins/manifest.ts";
import { stateLayout } from "./state-layout.ts";

/** A file that a base gets before its packages are configured. */
export interface BaseFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** A symbolic link that a base gets at the same moment. */
export interface BaseLink {
  readonly path: string;
  readonly target: string;
}

/** All that provision itself puts into a base. */
export interface BaseFiles {
  readonly files: readonly BaseFile[];
  readonly links: readonly BaseLink[];
  /** The archives, as apt reads them: the bootstrap's own and the image's. */
  readonly sources: string;
  /** The ESP's grub.cfg: finds root by its label and goes on there. */
  readonly grubStub: string;
}

const files: readonly (readonly [template: string, path: string, mode: number])[] = [
  // The kernel's postinst makes stable links to the newest kernel: grub's configuration never changes.
  ["base/kernel-img.conf", "/etc/kernel-img.conf", 0o644],
  // Not grub.cfg: were that there, each new kernel would have update-grub write over it.
  ["base/grub.cfg", "/boot/grub/provision.cfg", 0o644],
  ["base/fstab", "/etc/fstab", 0o644],
  ["base/hosts", "/etc/hosts", 0o644],
  ["base/initramfs-hook", "/etc/initramfs-tools/hooks/provision-state", 0o755],
  ["base/initramfs-script", "/etc/initramfs-tools/scripts/local-bottom/provision-state", 0o755],
  ["base/state-grow", "/usr/local/sbin/state-grow", 0o755],
  ["base/state-grow.service", "/etc/systemd/system/state-grow.service", 0o644],
  ["base/cloud.cfg", "/etc/cloud/cloud.cfg.d/90-provision.cfg", 0o644],
  ["base/apt-guard", "/usr/local/sbin/apt-get", 0o755],
];

/** What a base with a driver gets beside it: the very files that the driver's task keeps. */
const driverFiles: Readonly<Record<string, typeof files>> = {
  nvidia: [
    ["nvidia/nouveau.conf", "/etc/modprobe.d/provision-nvidia.conf", 0o644],
    ["nvidia/persistenced.conf", "/etc/systemd/system/nvidia-persistenced.service.d/provision.conf", 0o644],
    ["nvidia/device.rules", "/etc/udev/rules.d/90-provision-nvidia.rules", 0o644],
  ],
};

/** As the driver's task is without parameters. */
const driverVariables = { persistence: true };

/** Units that fail on a read-only root or would change packages behind our back; a mask outlives a preset. */
const masked = [
  "grub-common.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
];

/** Fills in everything a base gets from us. */
export function baseFiles(entry: BootstrapEntry, render: RenderTemplate): BaseFiles {
  return {
    files: [...files, ...(driverFiles[entry.driver ?? ""] ?? [])].map(([template, path, mode]) => ({
      path,
      mode,
      text: render(template, { ...stateLayout, ...driverVariables }),
    })),
    links: [
      { path: "/usr/local/sbin/apt", target: "apt-get" },
      {
        path: "/etc/systemd/system/local-fs.target.wants/state-grow.service",
        target: "/etc/systemd/system/state-grow.service",
      },
      ...masked.map((unit) => ({ path: `/etc/systemd/system/${unit}`, target: "/dev/null" })),
    ],
    sources: render("base/sources", { sources: entry.sources, keyring: entry.keyring }),
    grubStub: render("base/grub-stub.cfg", stateLayout),
  };
}
