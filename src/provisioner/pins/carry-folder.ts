import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import {
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";

import { fullDisk, needSpace } from "../local/free-space.ts";
import { digestOf } from "../local/kept-file.ts";
import { type Artifact, type FetchedArtifact, pinOf } from "./artifact-cache.ts";

const incoming = ".incoming-";
/** FAT knows even seconds only. */
const coarsestMs = 2000;

/** Lists for `sha256sum -c` and `sha512sum -c`, by the length of their digests. */
const lists = [
  { name: "SHA256SUMS", digits: 64 },
  { name: "SHA512SUMS", digits: 128 },
] as const;

/** Where a file lies in a folder that is to be carried elsewhere: names repeat between projects, digests do not. */
export function placeInFolder(folder: string, artifact: Artifact, file: string): string {
  return join(folder, pinOf(artifact).hex, file);
}

/**
 * The size of the file, if it lies there whole. One that is the cache's own, or has its size and time, is taken for it, as rsync
 * does; any other is read.
 */
export async function sizeIfCarried(
  path: string,
  artifact: Artifact,
  cached: FetchedArtifact | undefined,
): Promise<number | undefined> {
  const found = await stat(path).catch(absent);
  if (!found?.isFile()) return undefined;
  if (cached) {
    if (found.size !== cached.bytes) return undefined;
    const { ino, dev, mtimeMs } = await stat(cached.path);
    if (found.ino === ino && found.dev === dev) return found.size;
    if (Math.abs(found.mtimeMs - mtimeMs) < coarsestMs) return found.size;
  }
  const { kind, hex } = pinOf(artifact);
  return (await digestOf(path, kind)) === `${kind}:${hex}` ? found.size : undefined;
}

/** Puts a file of the cache there, whole or not at all: a hard link, or a copy on another file system. */
export async function carry({ path: source, bytes }: FetchedArtifact, path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const beside = join(folder, `${incoming}${randomBytes(6).toString("hex")}`);
  try {
    if (!(await linked(source, beside))) await copied(source, beside, bytes);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw await fullDisk(error, { path: folder, bytes, what: `the copy to ${path}` });
  }
}

/** Removes what a killed run left, and writes the lists of digests; gives the names of those there are. */
export async function tidyFolder(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, digits } of lists) {
    const lines = await linesOf(folder, digits);
    if (lines.length > 0) names.push(name);
    await writeList(join(folder, name), lines.join(""));
  }
  return names;
}

/** A line for each file, by its path; the folders are named by the digests of what lies in them. */
async function linesOf(folder: string, digits: number): Promise<readonly string[]> {
  const isDigest = new RegExp(`^[0-9a-f]{${digits}}$`);
  const entries = await readdir(folder, { withFileTypes: true });
  const lines: string[] = [];
  for (const { name: hex } of entries.filter((each) => each.isDirectory() && isDigest.test(each.name))) {
    const files: Dirent[] = await readdir(join(folder, hex), { withFileTypes: true });
    for (const { name } of files.filter((each) => each.name.startsWith(incoming)))
      await rm(join(folder, hex, name), { force: true });
    const whole = files.filter((each) => each.isFile() && !each.name.startsWith("."));
    lines.push(...whole.map(({ name }) => `${hex}  ${hex}/${name}\n`));
  }
  return lines.toSorted();
}

async function writeList(path: string, text: string): Promise<void> {
  const there = await readFile(path, "utf8").catch(absent);
  if (there === text || (there === undefined && text === "")) return;
  await writeFile(`${path}${incoming}`, text);
  await rename(`${path}${incoming}`, path);
}

async function linked(source: string, path: string): Promise<boolean> {
  try {
    await link(source, path);
    return true;
  } catch (error) {
    // Another file system, one without links, a file of somebody else's.
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "ENOSYS"].includes(code)) return false;
    throw error;
  }
}

async function copied(source: string, path: string, bytes: number): Promise<void> {
  await needSpace(dirname(path), bytes, `the copy to ${path}`);
  await copyFile(source, path, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  const { mtime } = await stat(source);
  const file = await open(path, "r");
  try {
    await file.utimes(mtime, mtime);
    // What is carried away on a stick must be on the stick.
    await file.sync();
  } finally {
    await file.close();
  }
}

function absent(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}
