import { mkdir, open, symlink } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, expect, it } from "vitest";

import { checkTree } from "../../src/provisioner/image/contract/check-tree.ts";
import { openTree } from "../../src/provisioner/image/image-tree.ts";
import { quietRun } from "../support/quiet-run.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { makeSmallImage, offsets, putFile } from "../support/small-image.ts";

let folder: string;

beforeEach(async () => {
  folder = await scratchFolder();
});

function put(path: string, text: string): Promise<void> {
  return putFile(join(folder, path), text);
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

  const tree = await treeOf(await makeSmallImage(folder));

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

    const assertions = await checkTree(await treeOf(await makeSmallImage(folder)), { readOnlyRoot: false });

    expect(assertions.flatMap(({ against }) => against)).toContain(path);
  },
);

it("says of each file system whether it was unmounted in order", async () => {
  const image = await makeSmallImage(folder, async (disk) => {
    await using file = await open(disk, "r+");
    // s_feature_incompat of the state file system: needs_recovery.
    const at = offsets.state + 1024 + 0x60;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) | 4]), 0, 1, at);
  });

  expect((await treeOf(image)).fileSystems).toMatchObject([
    { label: "root", isClean: true },
    { label: "state", isClean: false },
  ]);
});
