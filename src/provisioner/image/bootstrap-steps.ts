import { distributionNamed } from "../core/distribution.ts";
import { traits } from "../core/traits.ts";
import type { BootstrapEntry } from "../pins/manifest.ts";
import type { BaseFiles } from "./base-files.ts";
import { type DiskLayout, offsetOf, type Partition, partitionScript } from "./disk-layout.ts";
import { stateLayout } from "../core/state-layout.ts";

/** Where a bootstrap works; all absolute. */
export interface BootstrapPaths {
  /** The files of provision, laid out as they go into the image. */
  readonly skeleton: string;
  readonly skeletonTar: string;
  /** Text for mmdebstrap's list of archives; its name must end in `.sources`. */
  readonly sources: string;
  readonly grubStub: string;
  readonly tar: string;
  readonly root: string;
  readonly state: string;
  readonly disk: string;
  readonly image: string;
}

/** One program of the bootstrap. Data: the key of a base is the digest of exactly these. */
export interface BootstrapStep {
  readonly argv: readonly [string, ...string[]];
  readonly input?: string;
  /** Owners must be kept: runs as root, or as root of a user namespace. */
  readonly asRoot?: boolean;
}

/** What the steps follow from. */
export interface BootstrapPlan {
  readonly entry: BootstrapEntry;
  readonly files: BaseFiles;
  readonly disk: DiskLayout;
  readonly paths: BootstrapPaths;
  /** Seconds: SOURCE_DATE_EPOCH of the bootstrap. */
  readonly epoch: number;
}

/** From the archive to a tar of the tree; `bootstrap` is mmdebstrap, whose mode the machine decides. */
export function treeSteps(plan: BootstrapPlan): {
  readonly pack: BootstrapStep;
  readonly bootstrap: BootstrapStep;
} {
  const { entry, files, paths, epoch } = plan;
  const laid = [...files.files, ...files.links].map(({ path }) => path.slice(1)).toSorted();
  return {
    pack: {
      argv: line(
        "tar",
        ["--create", `--file=${paths.skeletonTar}`, `--directory=${paths.skeleton}`],
        // Only files: an entry for /etc would give the image's own /etc our owner and mode.
        ["--owner=0", "--group=0", "--numeric-owner", `--mtime=@${epoch}`, "--no-recursion"],
        laid,
      ),
    },
    bootstrap: {
      argv: line(
        "mmdebstrap",
        ["--verbose", "--variant=apt", "--format=tar", `--architectures=${entry.architecture}`],
        [`--include=${entry.packages.join(",")}`],
        aptOptions.map((option) => `--aptopt=${option}`),
        dpkgOptions.map((option) => `--dpkgopt=${option}`),
        // Before the kernel: its postinst then makes the links and, once and natively, the right initramfs.
        [`--essential-hook=tar-in ${paths.skeletonTar} /`],
        customise(entry).map((hook) => `--customize-hook=${hook}`),
        [entry.suite, paths.tar, paths.sources],
      ),
    },
  };
}

const aptOptions = ['Acquire::Languages "none"', 'APT::Install-Recommends "false"'];

/** No manuals in an image; licences stay. */
const dpkgOptions = [
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
];

/** Run by mmdebstrap in the finished tree. */
const customise = ({ distribution }: BootstrapEntry): readonly string[] => [
  `mv "$1"/etc/apt/sources.list.d/0000*.sources "$1"/etc/apt/sources.list.d/${distributionNamed(distribution).id}.sources`,
  // Identity is the seed's: nothing of the machine that built may stay.
  'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/.resolv.conf.* "$1"/etc/*- "$1"/*.old',
  'ln -s ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
  // The key that dkms signs modules with: who has an image that holds it can sign for every machine made from it.
  'rm -f "$1"/var/lib/dkms/mok.key "$1"/var/lib/dkms/mok.pub',
  // A base whose initramfs lacks these could never become read-only; better to know now. By its own name:
  // zstd does not follow links.
  ...["scripts/local-bottom/provision-state", "sbin/logsave"].map(
    (path) => `chroot "$1" sh -c "lsinitramfs /boot/initrd.img-*" | grep "${path}$" >/dev/null`,
  ),
];

/** From the tar to a qcow2 that boots: no mount, no loop device. */
export function diskSteps(plan: BootstrapPlan): readonly BootstrapStep[] {
  const { disk, paths } = plan;
  return [
    ...unpack(paths),
    ...split(paths),
    { argv: ["truncate", `--size=${disk.sizeMiB}M`, paths.disk] },
    { argv: ["sfdisk", "--quiet", paths.disk], input: partitionScript(disk) },
    ...bootChain(plan),
    makeExt4(disk.root, paths.root, paths.disk),
    makeExt4(disk.state, paths.state, paths.disk),
    { argv: ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", paths.disk, paths.image] },
  ];
}

function unpack({ tar, root, state }: BootstrapPaths): readonly BootstrapStep[] {
  return [
    asRoot("mkdir", "--parents", root, state),
    asRoot(
      "tar",
      ["--extract", `--file=${tar}`, `--directory=${root}`],
      // File capabilities are xattrs. /dev is the kernel's own: an ordinary user could not make its nodes.
      ["--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner", "--exclude=./dev/*"],
    ),
  ];
}

/** The tree in two: what the image is, and what happens to it. */
function split({ root, state }: BootstrapPaths): readonly BootstrapStep[] {
  const { moved, packageDatabase, mountPoint, etcUpper, etcWork } = stateLayout;
  return [
    asRoot(
      "mkdir",
      "--parents",
      packageDatabase.map(({ kept }) => root + kept.replace(/\/[^/]+$/, "")),
    ),
    ...packageDatabase.flatMap(({ path, kept }) => [
      asRoot("mv", root + path, root + kept),
      asRoot("ln", "--symbolic", kept, root + path),
    ]),
    asRoot(
      "mkdir",
      "--parents",
      [etcUpper, etcWork, "/var"].map((path) => state + path),
    ),
    ...moved.flatMap((path) => [
      asRoot("mv", root + path, state + path),
      asRoot("mkdir", root + path),
      asRoot("chmod", `--reference=${state}${path}`, root + path),
      asRoot("chown", `--reference=${state}${path}`, root + path),
    ]),
    asRoot("mkdir", "--parents", root + mountPoint, `${root}/boot/efi`),
  ];
}

/** The distribution's signed shim and GRUB at the path that firmware tries by itself. */
function bootChain(plan: BootstrapPlan): readonly BootstrapStep[] {
  const { esp } = plan.disk;
  const { root, disk, grubStub } = plan.paths;
  const { shim, espFolder } = traits[plan.entry.distribution];
  const target = `${disk}@@${offsetOf(esp)}`;
  const copies: readonly (readonly [string, string])[] = [
    [root + shim, "EFI/BOOT/BOOTX64.EFI"],
    [`${root}/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed`, "EFI/BOOT/grubx64.efi"],
    // The prefix built into the vendor's signed GRUB, and the place a GRUB without one looks.
    [grubStub, `EFI/${espFolder}/grub.cfg`],
    [grubStub, "EFI/BOOT/grub.cfg"],
  ];
  return [
    {
      argv: line(
        "mkfs.vfat",
        ["-F", "32", "-s", "1", "-n", esp.name, "--invariant", "-i", esp.uuid.slice(0, 8)],
        [`--offset=${offsetOf(esp) / 512}`, disk, String(esp.sizeMiB * 1024)],
      ),
    },
    { argv: ["mmd", "-i", target, "::EFI", "::EFI/BOOT", `::EFI/${espFolder}`] },
    ...copies.map(([from, to]) => asRoot("mcopy", "-m", "-i", target, from, `::${to}`)),
  ];
}

function makeExt4(partition: Partition, tree: string, disk: string): BootstrapStep {
  const extended = [
    `offset=${offsetOf(partition)}`,
    `hash_seed=${partition.uuid}`,
    // Written now: a guest would fill the tables at its first boot, and every overlay would swell by them.
    "lazy_itable_init=0,lazy_journal_init=0",
  ].join(",");
  return asRoot(
    "mkfs.ext4",
    ["-q", "-F", "-L", partition.name, "-U", partition.uuid, "-d", tree, "-E", extended],
    // Debian 12's GRUB cannot read the first; its kernel does not know the second.
    ["-O", "^metadata_csum_seed,^orphan_file", disk, `${partition.sizeMiB * 1024}k`],
  );
}

function asRoot(program: string, ...rest: readonly (string | readonly string[])[]): BootstrapStep {
  return { argv: line(program, ...rest), asRoot: true };
}

/** A command line of words and groups of words. */
function line(
  program: string,
  ...rest: readonly (string | readonly string[])[]
): readonly [string, ...string[]] {
  return [program, ...rest.flat()];
}
