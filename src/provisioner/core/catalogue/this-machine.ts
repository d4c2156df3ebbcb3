import { entry } from "./entry.ts";

/** What this machine lacks. */
export const thisMachine = {
  PROGRAM_MISSING: entry<{ program: string }>({
    exit: 5,
    say: ({ program }) => `Cannot run "${program}": it must be installed on this machine, is missing`,
    mend: () => "Run `provision doctor --fix`",
  }),
  PROGRAM_FAILED: entry<{ program: string; why: string; tail: string }>({
    exit: 5,
    say: ({ program, why, tail }) =>
      `Cannot run \`${program}\` on this machine: it ${why}${tail && `\n${tail}`}`,
    mend: ({ program }) =>
      `Run \`${program}\` by hand to see why; \`provision doctor\` checks what this machine needs`,
  }),
  MACHINE_NOT_READY: entry<{ lacks: readonly string[] }>({
    exit: 5,
    say: ({ lacks }) => `Cannot use this machine: it lacks ${lacks.join("; ")}`,
    mend: () => "Run `provision doctor --fix`",
  }),
  DISK_FULL: entry<{ path: string; what: string; neededGiB: string; freeGiB: string }>({
    exit: 5,
    say: ({ path, what, neededGiB, freeGiB }) =>
      `Cannot start ${what}: "${path}" must have ${neededGiB} GiB free, has ${freeGiB} GiB`,
    mend: ({ path }) =>
      `Free space on the file system of "${path}": \`provision gc\` and old images are the first to go`,
  }),
  FOLDER_UNUSABLE: entry<{ path: string; reason: string; mend: string }>({
    exit: 5,
    say: ({ path, reason }) => `Cannot use "${path}": ${reason}`,
    mend: ({ mend }) => mend,
  }),
  VAGRANT_MISSING: entry<Record<string, never>>({
    exit: 5,
    say: () => "Cannot ask Vagrant for its machine: `vagrant` must be installed on this machine, is missing",
    mend: () => "Run `sudo apt-get install --no-install-recommends vagrant vagrant-libvirt`",
  }),
  VAGRANT_UNUSABLE: entry<{ reason: string; mend: string }>({
    exit: 4,
    say: ({ reason }) => `Cannot use Vagrant's machine: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  DOCTOR_NEEDS_ROOT: entry<{ user: string }>({
    exit: 5,
    say: ({ user }) =>
      `Cannot set up this machine: "${user}" must be root, or may run sudo without a password; is neither`,
    mend: () => "Run `sudo true` first, or run the same command as root",
  }),
  LIBVIRT_DOES_NOT_START: entry<{ uri: string }>({
    exit: 5,
    say: ({ uri }) => `Cannot start libvirtd: it must answer on ${uri} within 30 s, does not`,
    mend: () => "Run `libvirtd` as root in a terminal and read what it complains of",
  }),
} as const;
