import { stateLayout } from "./state-layout.ts";

/** A file that a root needs before it can be read-only; the text is a template's, filled in with `variables`. */
export interface NeededFile {
  readonly template: string;
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
}

/** Grows the state partition to the end of the disk. */
export const stateGrow = "/usr/local/sbin/state-grow";
const growUnit = "/etc/systemd/system/state-grow.service";

/**
 * What stands on a machine whose root can be switched to read-only. A base of ours is born with all of it; the task
 * `readonly-root` looks whether it is still so, and the seal switches.
 */
export const readOnlyRoot = {
  variables: stateLayout,
  hook: needed("base/initramfs-hook", "/etc/initramfs-tools/hooks/provision-state", "0755"),
  script: needed(
    "base/initramfs-script",
    "/etc/initramfs-tools/scripts/local-bottom/provision-state",
    "0755",
  ),
  /** All that the initramfs is not made of. */
  files: [
    needed("base/state-grow", stateGrow, "0755"),
    needed("base/state-grow.service", growUnit, "0644"),
    needed("base/cloud.cfg", "/etc/cloud/cloud.cfg.d/90-provision.cfg", "0644"),
    needed("base/journald.conf", "/etc/systemd/journald.conf.d/50-provision-state.conf", "0644"),
  ],
  links: [
    { path: "/etc/systemd/system/local-fs.target.wants/state-grow.service", target: growUnit },
    // Units that fail on a read-only root or would change packages behind our back; a mask outlives a preset.
    ...[
      "apt-daily-upgrade.timer",
      "apt-daily.timer",
      "dpkg-db-backup.timer",
      "e2scrub_all.timer",
      "e2scrub_reap.service",
      "grub-common.service",
      "grub-initrd-fallback.service",
      // These refresh what lies under /var/cache, which is the image's.
      "man-db.timer",
      "motd-news.timer",
    ].map((unit) => ({ path: `/etc/systemd/system/${unit}`, target: "/dev/null" })),
  ],
} as const;

function needed(template: string, path: string, mode: string): NeededFile {
  return { template, path, mode };
}
