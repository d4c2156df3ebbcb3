export const UNIT = "fluent-bit.service";

const DIRECTORY = "/etc/fluent-bit";

/** All that the task writes; the files of a package or an image stay as they are. */
export const files = {
  directory: DIRECTORY,
  settings: `${DIRECTORY}/settings.conf`,
  /** Secrets, as variables for the service alone. */
  secrets: `${DIRECTORY}/settings.env`,
  /** Read after an image's own, provision.conf. */
  dropIn: `/etc/systemd/system/${UNIT}.d/settings.conf`,
} as const;

/** Name of the stamp of its last start. */
export const STAMP = "fluent-bit";

/** Where vendors and distributions put it; the first that is there counts. */
export const programs = [
  "/opt/fluent-bit/bin/fluent-bit",
  "/usr/local/bin/fluent-bit",
  "/usr/bin/fluent-bit",
];
