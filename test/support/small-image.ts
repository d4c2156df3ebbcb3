import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { program } from "../../src/provisioner/local/program.ts";
import { quietRun } from "./quiet-run.ts";

const MIB = 1024 ** 2;
const [rootMiB, stateMiB, sizeMiB] = [1, 9, 8];

/** Where the two file systems begin on the disk, in bytes. */
export const offsets = { root: rootMiB * MIB, state: stateMiB * MIB };

/** Writes a file of a tree with its directories. */
export async function putFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A disk as provision lays it out, of a few MiB and without an ESP: `root` and `state` of a folder, as a qcow2. */
export async function makeSmallImage(
  folder: string,
  spoil: (disk: string) => Promise<void> = async () => {},
): Promise<string> {
  const run = quietRun();
  const [disk, image] = [join(folder, "disk"), join(folder, "image.qcow2")];
  await putFile(join(folder, "root/etc/fstab"), "");
  await putFile(join(folder, "state/var/lib/x"), "");
  await program(["truncate", "--size=18M", disk], { run });
  const starts = [rootMiB, stateMiB].map((start) => `start=${start}MiB, size=${sizeMiB}MiB\n`);
  await program(["sfdisk", "--quiet", disk], { run, input: `label: gpt\n${starts.join("")}` });
  for (const [label, offset] of Object.entries(offsets)) {
    // Without checksums a test can spoil a byte.
    const made = ["-q", "-F", "-L", label, "-d", join(folder, label), "-O", "^metadata_csum"];
    await program(["mkfs.ext4", ...made, "-E", `offset=${offset}`, disk, `${sizeMiB}M`], { run });
  }
  await spoil(disk);
  await program(["qemu-img", "convert", "-O", "qcow2", disk, image], { run });
  return image;
}
