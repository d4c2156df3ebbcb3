import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { holdLock } from "../../src/provisioner/local/lock.ts";
import { quietRun } from "./quiet-run.ts";

/** What a root is made of. */
export interface RootRecipe {
  readonly suite: string;
  /** Beside Debian's essential packages, and what every machine of the tests needs. */
  readonly packages: readonly string[];
  /** Lines of sources.list; Debian's own archive of the suite, with updates, when left out. */
  readonly sources?: readonly string[];
  /** Commands for the finished root, which is `$1` of each. */
  readonly hooks?: readonly string[];
}

/** What systemd-host.ts needs, and what a base of ours brings that specs rely on. */
const needed = [
  "apt",
  "ca-certificates",
  "curl",
  "dbus",
  "iproute2",
  "kmod",
  "libpam-systemd",
  "locales",
  "openssh-server",
  "passwd",
  "procps",
  "sudo",
  "systemd-sysv",
  "systemd-timesyncd",
  "tzdata",
];

const archive = "http://deb.debian.org/debian";
/** Raised when what is done to the root below changes. */
const edition = 1;

/** A plain Debian trixie. */
export const trixieRoot: RootRecipe = { suite: "trixie", packages: [] };

/** A Debian root with systemd, made once and kept in the cache: a minute or two the first time. Root's. */
export async function systemdRoot(cacheDir: string, recipe: RootRecipe = trixieRoot): Promise<string> {
  const { suite, packages, hooks = [] } = recipe;
  const sources = recipe.sources ?? [
    `deb ${archive} ${suite} main`,
    `deb ${archive} ${suite}-updates main`,
    `deb ${archive}-security ${suite}-security main`,
  ];
  const included = [...new Set([...needed, ...packages])].toSorted();
  const inputs = JSON.stringify([suite, included, sources, hooks, edition]);
  const key = createHash("sha256").update(inputs).digest("hex").slice(0, 16);
  const root = join(cacheDir, "roots", `${suite}-${key}`);
  if (existsSync(root)) return root;
  await using _lock = await holdLock(root, "a root for tests to make", quietRun());
  if (existsSync(root)) return root;
  // Beside its place, so that a rename puts it there whole.
  const making = `${root}.${process.pid}`;
  try {
    await execa(
      "mmdebstrap",
      [
        "--quiet",
        "--variant=essential",
        `--include=${included.join(",")}`,
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=APT::Install-Recommends "false"',
        // Who starts a machine brings its keys.
        '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/resolv.conf',
        ...hooks.map((hook) => `--customize-hook=${hook}`),
        suite,
        making,
        "-",
      ],
      { input: `${sources.join("\n")}\n` },
    );
    await rename(making, root);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return root;
}
