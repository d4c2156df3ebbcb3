import { entry } from "./entry.ts";

/** What goes wrong with bases and images, and with this machine, which makes them. */
export const images = {
  // — bases —
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
  // — images —
  DISK_TOO_SMALL: entry<{ base: string; part: string; neededGiB: number; hasGiB: string; mend: string }>({
    exit: 2,
    say: ({ base, part, neededGiB, hasGiB }) =>
      `Cannot build on ${base}: ${part} must have ${neededGiB} GiB, has ${hasGiB} GiB`,
    mend: ({ mend }) => mend,
  }),
  CLOUD_INIT_FAILED: entry<{ host: string; complaints: readonly string[]; tail: string }>({
    exit: 4,
    say: ({ host, complaints, tail }) =>
      `Cannot use ${host}: cloud-init must end without errors, says ${complaints.join("; ")}${tail && `\n${tail}`}`,
    mend: () =>
      "Correct what cloud-init complains of in the seed or the base; its whole log is /var/log/cloud-init.log",
  }),
  SEAL_FAILED: entry<{ reason: string }>({
    exit: 5,
    say: ({ reason }) => `Cannot seal the image: ${reason}`,
    mend: () => "Build again with --keep-on-error and run /run/provision-seal.sh on the builder to see why",
  }),
  CONTRACT_BROKEN: entry<{ image: string; broken: readonly string[] }>({
    exit: 6,
    say: ({ image, broken }) => `Cannot vouch for "${image}": ${broken.join("\n")}`,
    mend: () => "Find the use that leaves this behind and correct the spec, then build again",
  }),
  IMAGE_MISSING: entry<{ path: string }>({
    exit: 2,
    say: ({ path }) => `Cannot find an image at "${path}"`,
    mend: () => "Run `provision images` to see what is there, or `provision build --spec NAME` to make one",
  }),
  IMAGE_UNBUILT: entry<{ image: string; spec: string; versions: readonly string[] }>({
    exit: 2,
    say: ({ image }) => `Cannot find image "${image}": no such image was built here`,
    mend: ({ spec, versions }) =>
      versions.length === 0
        ? `Run \`provision build --spec ${spec}\``
        : `Name one of ${versions.map((version) => `${spec}@${version}`).join(", ")}, or "${spec}" for the newest`,
  }),
  IMAGE_UNFIT: entry<{ path: string; is: string }>({
    exit: 2,
    say: ({ path, is }) => `Cannot start a host from "${path}": it must be a whole qcow2 image, is ${is}`,
    mend: ({ path }) => `Run \`qemu-img convert -O qcow2 ${path} WHOLE.qcow2\`, and name that one`,
  }),
  IMAGE_DAMAGED: entry<{ image: string; path: string; wanted: string; got: string }>({
    exit: 5,
    say: ({ image, path, wanted, got }) =>
      `Cannot use image ${image}: the digest of "${path}" must be ${wanted}, is ${got}`,
    mend: () => "Build it anew with `provision build --force`; find out what has changed the file",
  }),
  // — this machine —
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
