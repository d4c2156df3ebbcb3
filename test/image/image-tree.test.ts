import { mkdir, open, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { checkTree } from "../../src/provisioner/image/contract/check-tree.ts";
import { openTree } from "../../src/provisioner/image/image-tree.ts";
import { program } from "../../src/provisioner/local/program.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const MIB = 1024 ** 2;
const [rootMiB, stateMiB] = [1, 9];

let folder: string;

beforeEach(async () => {
  folder = await scratchFolder();
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

/** A disk of two file systems made of `root` and `state`, as a qcow2. */
async function makeImage(spoil: (disk: string) => Promise<void> = async () => {}): Promise<string> {
  const run = quietRun();
  const [disk, image] = [join(folder, "disk"), join(folder, "image.qcow2")];
  await put("root/etc/fstab", "");
  await put("state/var/lib/x", "");
  await program(["truncate", "--size=18M", disk], { run });
  const input = `label: gpt\nstart=${rootMiB}MiB, size=8MiB\nstart=${stateMiB}MiB, size=8MiB\n`;
  await program(["sfdisk", "--quiet", disk], { run, input });
  for (const [label, start] of [
    ["root", rootMiB],
    ["state", stateMiB],
  ] as const) {
    const extended = `offset=${start * MIB}`;
    // Without checksums a test can spoil a byte.
    await program(
      ["mkfs.ext4", "-q", "-F", "-L", label, "-d", join(folder, label), "-O", "^metadata_csum"].concat([
        "-E",
        extended,
        disk,
        "8M",
      ]) as [string, ...string[]],
      { run },
    );
  }
  await spoil(disk);
  await program(["qemu-img", "convert", "-O", "qcow2", disk, image], { run });
  return image;
}

async function treeOf(image: string) {
  const out = join(folder, "out");
  await mkdir(out);
  return openTree(image, out, quietRun());
}

it("reads root and state as the one tree that a guest would see", async () => {
  await put("root/etc/hosts", "127.0.0.1 localhost\n");
  await put("root/var/lib/hidden", "below the mount point");
  await put("state/var/lib/cloud/seed", "x");
  await mkdir(join(folder, "root/etc"), { recursive: true });
  await symlink("../run/x", join(folder, "root/etc/resolv.conf"));

  const tree = await treeOf(await makeImage());

  expect(await tree.text("/etc/hosts")).toBe("127.0.0.1 localhost\n");
  expect(await tree.link("/etc/resolv.conf")).toBe("../run/x");
  expect((await tree.below("/var/lib")).map(({ path }) => path)).toEqual(
    expect.arrayContaining(["/var/lib/cloud", "/var/lib/cloud/seed"]),
  );
  expect(await tree.text("/var/lib/hidden")).toBeUndefined();
});

it.each(["/swapfile", "/core", "/tmp/.hidden", "/var/tmp/.X11", "/etc/ssh/ssh_host_rsa_key"])(
  "finds %s, by the contract's own patterns",
  async (path) => {
    await put(`root${path}`, "x");

    const assertions = await checkTree(await treeOf(await makeImage()), { readOnlyRoot: false });

    expect(assertions.flatMap(({ against }) => against)).toContain(path);
  },
);

it("says of each file system whether it was unmounted in order", async () => {
  const image = await makeImage(async (disk) => {
    await using file = await open(disk, "r+");
    // s_feature_incompat of the state file system: needs_recovery.
    const at = stateMiB * MIB + 1024 + 0x60;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) | 4]), 0, 1, at);
  });

  expect((await treeOf(image)).fileSystems).toMatchObject([
    { label: "root", isClean: true },
    { label: "state", isClean: false },
  ]);
});
