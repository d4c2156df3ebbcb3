import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

/** What is in the target beside Debian's essential packages. */
const included = ["apt", "mount", "openssh-server", "passwd", "systemd-standalone-tmpfiles", "tzdata"];
/** Packages that a first run can install, from a repository in the target itself: no network, no luck. */
export const packageNames = Array.from({ length: 40 }, (_, at) => `bench-${String(at).padStart(2, "0")}`);
/** Files that a first run has to remove. */
export const goneFiles = Array.from({ length: 8 }, (_, at) => `/etc/bench-gone-${at}`);

const suite = "trixie";
/** Raised when what is done to the root below changes. */
const edition = 2;

/** A Debian root for targets, made once and kept in the cache: some minutes the first time. */
export async function targetRoot(cacheDir: string, say: (text: string) => void): Promise<string> {
  // mmdebstrap knows Debian's own archive; a nearer one can be named.
  const mirror = process.env["PROVISION_BENCH_MIRROR"];
  const inputs = JSON.stringify([suite, included, packageNames, goneFiles, edition]);
  const key = createHash("sha256").update(inputs).digest("hex").slice(0, 16);
  const root = join(cacheDir, "bench", `root-${key}`);
  if (existsSync(root)) return root;
  say(`Making a Debian ${suite} root in ${root}`);
  const making = `${root}.${process.pid}`;
  try {
    await execa("mmdebstrap", [
      "--quiet",
      "--variant=essential",
      `--include=${included.join(",")}`,
      suite,
      making,
      ...(mirror === undefined ? [] : [mirror]),
    ]);
    await addRepository(making);
    // Comes with systemd, whose programs alone are here.
    await mkdir(join(making, "etc/tmpfiles.d"), { recursive: true });
    for (const path of goneFiles) await writeFile(join(making, path), "to be removed\n");
    await rename(making, root);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return root;
}

async function addRepository(root: string): Promise<void> {
  const repository = join(root, "srv/repository");
  await mkdir(repository, { recursive: true });
  await writeFile(join(repository, "Packages"), "");
  for (const name of packageNames) await addPackage(repository, name);
  await writeFile(join(root, "etc/apt/sources.list"), "deb [trusted=yes] file:/srv/repository ./\n");
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
