export const UNIT = "auditd.service";

/** All that the task writes. Images and Debian's package have the first two as well: there is one of each. */
export const files = {
  settings: "/etc/laurel/config.toml",
  /** By it auditd starts laurel. */
  plugin: "/etc/audit/plugins.d/laurel.conf",
  /** After those of an image, 50-provision.rules. */
  rules: "/etc/audit/rules.d/60-laurel.rules",
} as const;

/** Names of the stamps: of what laurel was last told to read, and of what the kernel last took. */
export const STAMP = "laurel";
export const RULES_STAMP = "laurel-rules";

/** Ours, then Debian's; the first that is there counts. */
export const programs = [
  "/usr/local/bin/laurel",
  "/usr/local/sbin/laurel",
  "/usr/sbin/laurel",
  "/usr/bin/laurel",
];
