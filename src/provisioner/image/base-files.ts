import { readOnlyRoot } from "../core/read-only-root.ts";
import { stateLayout } from "../core/state-layout.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { traits } from "../core/traits.ts";
import type { BootstrapEntry } from "../pins/manifest.ts";
import { maintenanceSentence } from "./maintenance.ts";

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
  ...[readOnlyRoot.hook, readOnlyRoot.script, ...readOnlyRoot.files].map(
    ({ template, path, mode }) => [template, path, Number.parseInt(mode, 8)] as const,
  ),
  ["base/apt-guard", "/usr/local/sbin/apt-get", 0o755],
];

/** What a base with a driver gets beside it: the very files that the driver's task keeps. */
const driverFiles: Readonly<Record<string, typeof files>> = {
  nvidia: [
    ["nvidia/nouveau.conf", "/etc/modprobe.d/provision-nvidia.conf", 0o644],
    ["nvidia/modules-load.conf", "/etc/modules-load.d/nvidia.conf", 0o644],
    ["nvidia/persistenced.conf", "/etc/systemd/system/nvidia-persistenced.service.d/provision.conf", 0o644],
    ["nvidia/device.rules", "/etc/udev/rules.d/90-provision-nvidia.rules", 0o644],
  ],
};

/** As the driver's task is without parameters. */
const driverVariables = { persistence: true };

/** Fills in everything a base gets from us. */
export function baseFiles(entry: BootstrapEntry, render: RenderTemplate): BaseFiles {
  const { kernel, initrd } = traits[entry.distribution];
  const told = { ...stateLayout, ...driverVariables, kernel, initrd, maintenanceSentence };
  return {
    files: [...files, ...(driverFiles[entry.driver ?? ""] ?? [])].map(([template, path, mode]) => ({
      path,
      mode,
      text: render(template, told),
    })),
    links: [{ path: "/usr/local/sbin/apt", target: "apt-get" }, ...readOnlyRoot.links],
    sources: render("base/sources", { sources: entry.sources, keyring: entry.keyring }),
    grubStub: render("base/grub-stub.cfg", stateLayout),
  };
}
