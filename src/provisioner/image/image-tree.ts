import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";
import { stateLayout } from "../core/state-layout.ts";
import { matchesPattern } from "./path-pattern.ts";
import { toRaw } from "./qemu-img.ts";

/** An image's files, taken out of it without mounting or booting it. Absolute paths are the guest's. */
export interface ImageTree {
  /** Content, or `undefined` when there is none. */
  text(path: string): Promise<string | undefined>;
  /** Where a symbolic link points. */
  link(path: string): Promise<string | undefined>;
  /** Paths that a pattern matches; `*` in the last part only, no leading dot. */
  match(pattern: string): Promise<string[]>;
  /** Every path below a directory. */
  below(path: string): Promise<readonly TreeEntry[]>;
  /** The ext file systems of the disk. */
  readonly fileSystems: readonly Pick<FileSystem, "label" | "isClean">[];
}

export interface TreeEntry {
  readonly path: string;
  readonly isFile: boolean;
  /** In bytes. */
  readonly size: number;
}

/** What the contract looks at; the rest of the image (programs, kernels) stays where it is. */
const wanted = ["/etc", "/var", "/root", "/home", "/tmp", "/usr/lib/sysimage"];

/** Takes the files of an image out into `folder`, which the caller removes. */
export async function openTree(image: string, folder: string, run: Run): Promise<ImageTree> {
  const raw = join(folder, "disk.raw");
  await toRaw(image, raw, run);
  const systems = await findFileSystems(raw, run);
  const root = join(folder, "root");
  const rootSystem = systems.find(({ label }) => label === "root") ?? largest(systems);
  if (rootSystem) {
    await takeOut(rootSystem, wanted, root, run);
    await nameRest(rootSystem, root, run);
  }
  const stateSystem = systems.find(({ label }) => label === "state");
  const state = join(folder, "state");
  if (stateSystem) await takeOut(stateSystem, [...stateLayout.moved, "/etc"], state, run);
  return tree(systems, (path) => {
    const moved =
      stateSystem && stateLayout.moved.some((each) => path === each || path.startsWith(`${each}/`));
    return join(moved ? state : root, path);
  });
}

interface FileSystem {
  /** As debugfs takes it: the disk with the offset of the file system. */
  readonly device: string;
  readonly label: string;
  readonly bytes: number;
  /** Unmounted in order: nothing waits in its journal. */
  readonly isClean: boolean;
}

async function findFileSystems(raw: string, run: Run): Promise<FileSystem[]> {
  const { partitiontable } = JSON.parse(await program(["sfdisk", "-J", raw], { run })) as {
    readonly partitiontable: {
      readonly sectorsize?: number;
      readonly partitions: readonly { readonly start: number; readonly size: number }[];
    };
  };
  const sector = partitiontable.sectorsize ?? 512;
  await using disk = await open(raw);
  const found = await Promise.all(
    partitiontable.partitions.map(async ({ start, size }): Promise<FileSystem | undefined> => {
      const says = await superBlock(disk, start * sector);
      return says && { device: `${raw}?offset=${start * sector}`, bytes: size * sector, ...says };
    }),
  );
  return found.filter((each) => each !== undefined);
}

/** What the ext2, 3 or 4 file system at an offset says of itself; nothing when there is none (kernel.org: ext4/super.rst). */
async function superBlock(
  disk: FileHandle,
  offset: number,
): Promise<Pick<FileSystem, "label" | "isClean"> | undefined> {
  const block = Buffer.alloc(256);
  await disk.read(block, 0, block.length, offset + 1024);
  if (block.readUInt16LE(0x38) !== 0xef53) return undefined;
  const isUnmounted = (block.readUInt16LE(0x3a) & VALID_FS) !== 0;
  const needsRecovery = (block.readUInt32LE(0x60) & INCOMPAT_RECOVER) !== 0;
  const label = block.toString("utf8", 0x78, 0x88).replace(/\0.*$/s, "");
  return { label, isClean: isUnmounted && !needsRecovery };
}

const VALID_FS = 1;
const INCOMPAT_RECOVER = 4;

function largest(systems: readonly FileSystem[]): FileSystem | undefined {
  return systems.toSorted((one, other) => other.bytes - one.bytes)[0];
}

async function takeOut(system: FileSystem, paths: readonly string[], to: string, run: Run): Promise<void> {
  for (const path of paths) await mkdir(join(to, dirname(path)), { recursive: true });
  // debugfs prints what it cannot find and goes on: a path that an image lacks is simply not there.
  const commands = paths.map((path) => `rdump ${path} ${join(to, dirname(path))}`).join("\n");
  await program(["debugfs", "-f", "-", system.device], { run, input: `${commands}\n` });
}

/** Names of what else lies right below the root: files that nobody expects there; here they are empty. */
async function nameRest(system: FileSystem, root: string, run: Run): Promise<void> {
  // -p: /inode/mode/uid/gid/name/size/
  const listed = await program(["debugfs", "-R", "ls -p /", system.device], { run });
  const entries = listed.split("\n").map((line) => line.split("/"));
  for (const [, , mode = "", , , name = ""] of entries) {
    if (mode.startsWith("10")) await writeFile(join(root, name), "");
  }
}

function tree(fileSystems: ImageTree["fileSystems"], locate: (path: string) => string): ImageTree {
  return {
    fileSystems,
    text: (path) => quiet(readFile(locate(path), "utf8")),
    link: (path) => quiet(readlink(locate(path))),
    async match(pattern) {
      const folder = dirname(pattern);
      if (!pattern.includes("*")) return (await quiet(lstat(locate(pattern)))) ? [pattern] : [];
      const names = (await quiet(readdir(locate(folder)))) ?? [];
      return names
        .filter((name) => matchesPattern(name, basename(pattern)))
        .map((name) => join(folder, name));
    },
    below: (path) => walk(path, locate),
  };
}

async function walk(path: string, locate: (path: string) => string): Promise<TreeEntry[]> {
  const entries = (await quiet(readdir(locate(path), { withFileTypes: true }))) ?? [];
  const found = await Promise.all(
    entries.map(async (entry): Promise<TreeEntry[]> => {
      const at = join(path, entry.name);
      const size = entry.isFile() ? (await lstat(locate(at))).size : 0;
      const self = { path: at, isFile: entry.isFile(), size };
      return entry.isDirectory() ? [self, ...(await walk(at, locate))] : [self];
    }),
  );
  return found.flat();
}

/** Absent paths are an answer here. */
async function quiet<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EINVAL" || code === "EISDIR") return undefined;
    throw error;
  }
}
