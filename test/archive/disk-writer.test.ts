import { readdirSync, readlinkSync } from "node:fs";
import { lstat, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { DiskWriter } from "../../src/provisioner/archive/disk-writer.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

async function place(): Promise<{
  readonly folder: string;
  readonly root: string;
  readonly disk: DiskWriter;
}> {
  const folder = await scratchFolder();
  const root = join(folder, "root");
  await mkdir(root);
  await mkdir(join(folder, "rootX"));
  await writeFile(join(folder, "rootX", "secret"), "secret");
  return { folder, root, disk: new DiskWriter(root) };
}

const large = 2 * 1024 ** 2;

describe("a file", () => {
  it.each([1, large])("of %d bytes does not replace what is there", async (size) => {
    const { root, disk } = await place();
    await writeFile(join(root, "a"), "theirs");

    const written = async () => {
      const body = disk.file("a", { mode: 0o644, size });
      await body.write(Buffer.alloc(size));
      await body.end();
    };

    await expect(written()).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(join(root, "a"), "utf8")).toBe("theirs");
  });

  it.each([1, large])("of %d bytes is not written through a link", async (size) => {
    const { folder, root, disk } = await place();
    await symlink("../rootX/fresh", join(root, "a"));

    const written = async () => {
      const body = disk.file("a", { mode: 0o644, size });
      await body.write(Buffer.alloc(size));
      await body.end();
    };

    await expect(written()).rejects.toMatchObject({ code: "EEXIST" });
    await expect(lstat(join(folder, "rootX", "fresh"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("that is left open is closed with the writer", async () => {
    const { root, disk } = await place();
    const body = disk.file("a", { mode: 0o644, size: large });
    await body.write(Buffer.alloc(10));

    await disk[Symbol.asyncDispose]();

    const open = readdirSync("/proc/self/fd").map((descriptor) => leadsTo(join("/proc/self/fd", descriptor)));
    expect(open).not.toContain(join(root, "a"));
  });
});

/** Of a descriptor that may be gone by now. */
function leadsTo(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

describe("a link", () => {
  it.each([
    ["out", "../rootX/secret"],
    ["to the parent", ".."],
    ["out by an absolute path", "/etc/passwd"],
    ["to nothing", "gone"],
    ["to itself", "l"],
    ["up from where another link has led", "sub/up/../.."],
  ])("that leads %s is refused by what the kernel says", async (_, target) => {
    const { root, disk } = await place();
    await mkdir(join(root, "sub"));
    await symlink("..", join(root, "sub", "up"));
    disk.symlink({ path: "l", target });

    await expect(disk.checkLink({ path: "l", target })).rejects.toMatchObject({
      name: "Refusal",
      entry: "l",
    });
  });

  it.each(["a", "sub/../a", "."])("that leads to %s is taken", async (target) => {
    const { root, disk } = await place();
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "a"), "x");
    disk.symlink({ path: "l", target });

    await expect(disk.checkLink({ path: "l", target })).resolves.toBeUndefined();
  });

  it("is taken when the directory itself is reached by a link", async () => {
    const { folder } = await place();
    await symlink("root", join(folder, "way"));
    const disk = new DiskWriter(join(folder, "way"));
    disk.symlink({ path: "l", target: "." });

    await expect(disk.checkLink({ path: "l", target: "." })).resolves.toBeUndefined();
  });
});
