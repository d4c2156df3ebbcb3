import { entry } from "./entry.ts";

/** What goes wrong with the bases that images are built on. */
export const bases = {
  BASE_UNKNOWN: entry<{ name: string; known: readonly string[] }>({
    exit: 2,
    say: ({ name }) => `Cannot prepare base "${name}": it must be under \`bases:\` in versions.yaml, is not`,
    mend: ({ known }) => `Use one of ${known.join(", ")}, or add an entry`,
  }),
  BASE_NEEDS_ROOT: entry<{ reason: string }>({
    exit: 5,
    say: ({ reason }) =>
      `Cannot bootstrap a base: this user must be root or have ids of its own in /etc/subuid: ${reason}`,
    mend: () =>
      "Run as root; or, as an ordinary user, install `uidmap` and run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`",
  }),
  BASE_PACKAGE_UNKNOWN: entry<{ base: string; name: string }>({
    exit: 2,
    say: ({ base, name }) => `Cannot bootstrap ${base}: the archive must have package "${name}", has not`,
    mend: ({ base }) => `Correct \`packages\` or \`components\` of ${base} in versions.yaml`,
  }),
  ARCHIVE_UNUSABLE: entry<{ base: string; reason: string }>({
    exit: 5,
    say: ({ base, reason }) => `Cannot bootstrap ${base}: ${reason}`,
    mend: ({ base }) =>
      `Check the network (and http_proxy), and \`sources\` and \`keyring\` of ${base} in versions.yaml`,
  }),
  BOOTSTRAP_FAILED: entry<{ base: string; reason: string }>({
    exit: 5,
    say: ({ base, reason }) => `Cannot bootstrap ${base}: mmdebstrap failed${reason && `\n${reason}`}`,
    mend: () => "Read the log of this run: it has all that mmdebstrap, apt and dpkg printed",
  }),
  BASE_MALFORMED: entry<{ name: string; url: string }>({
    exit: 2,
    say: ({ name, url }) => `Cannot use base "${name}": ${url} must be a qcow2 disk image, is something else`,
    mend: ({ name }) => `Correct \`url\` of ${name} in versions.yaml`,
  }),
} as const;
