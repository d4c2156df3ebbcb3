import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { systemdRoot } from "../test/support/systemd-root.ts";

/** Packages that a first run can install, from a repository in the target itself: no network, no luck. */
export const packageNames = Array.from({ length: 40 }, (_, at) => `bench-${String(at).padStart(2, "0")}`);
/** Files that a first run has to remove. */
export const goneFiles = Array.from({ length: 8 }, (_, at) => `/etc/bench-gone-${at}`);

/** Raised when what is in the repository changes. */
const edition = 1;

/** A Debian root for targets, made once and kept in the cache: some minutes the first time. */
export async function targetRoot(cacheDir: string, say: (text: string) => void): Promise<string> {
  const repository = await repositoryIn(join(cacheDir, "bench"));
  say("the targets' Debian root: made the first time, which takes a minute or two");
  return systemdRoot(cacheDir, {
    suite: "trixie",
    // What Ansible's modules run on; nobody else touches it.
    packages: ["python3", "python3-apt"],
    hooks: [
      `mkdir -p "$1"/srv && cp -r ${repository} "$1"/srv/repository`,
      `echo "deb [trusted=yes] file:/srv/repository ./" >"$1"/etc/apt/sources.list`,
      `for path in ${goneFiles.join(" ")}; do echo "to be removed" >"$1$path"; done`,
    ],
  });
}

async function repositoryIn(folder: string): Promise<string> {
  const repository = join(folder, `repository-${edition}`);
  if (existsSync(repository)) return repository;
  const making = `${repository}.${process.pid}`;
  try {
    await mkdir(making, { recursive: true });
    await writeFile(join(making, "Packages"), "");
    for (const name of packageNames) await addPackage(making, name);
    await rename(making, repository);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return repository;
}

async function addPackage(repository: string, name: string): Promise<void> {
  const tree = join(repository, name);
  const control = [
    `Package: ${name}`,
    "Version: 1.0",
    "Architecture: all",
    "Maintainer: The benchmark <bench@example.org>",
    "Description: Something to install",
    "",
  ].join("\n");
  await mkdir(join(tree, "DEBIAN"), { recursive: true });
  await mkdir(join(tree, "usr/share", name), { recursive: true });
  await writeFile(join(tree, "DEBIAN/control"), control);
  await writeFile(join(tree, "usr/share", name, "text"), `${name}\n`.repeat(500));
  const file = `${name}_1.0_all.deb`;
  await execa("dpkg-deb", ["--root-owner-group", "--build", tree, join(repository, file)]);
  await rm(tree, { recursive: true });
  const digest = createHash("sha256")
    .update(await readFile(join(repository, file)))
    .digest("hex");
  const { size } = await stat(join(repository, file));
  const entry = `${control}Filename: ./${file}\nSize: ${size}\nSHA256: ${digest}\n\n`;
  await appendFile(join(repository, "Packages"), entry);
}
