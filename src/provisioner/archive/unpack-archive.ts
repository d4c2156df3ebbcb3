import { mkdir, rm } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import { Allowance } from "./allowance.ts";
import { type ArchiveFile, headOf, openArchiveFile } from "./archive-file.ts";
import { type ArchiveInput, generousLimits, type UnpackedEntry } from "./archive-input.ts";
import { ArchiveTree } from "./archive-tree.ts";
import { DiskWriter } from "./disk-writer.ts";
import type { Take } from "./member.ts";
import { plainBytes } from "./plain-bytes.ts";
import { readProgram } from "./read-program.ts";
import { readTar } from "./read-tar.ts";
import { readZip } from "./read-zip.ts";
import { Refusal } from "./refusal.ts";
import { checkFormat } from "./sniff.ts";

export type { ArchiveInput, UnpackedEntry } from "./archive-input.ts";

/**
 * Vets everything while it unpacks into `directory`, which must not exist and is made with mode 0700; on any failure
 * the directory is removed again. Directories that the archive only implies are among the entries.
 */
export async function unpackArchive(
  input: ArchiveInput,
  directory: string,
): Promise<readonly UnpackedEntry[]> {
  return explained(input, async () => {
    await using file = await openVetted(input);
    await mkdir(directory, { mode: 0o700 });
    try {
      return await unpackInto(directory, file, input);
    } catch (error) {
      // What went wrong first is what is told, even when this goes wrong as well.
      await rm(directory, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  });
}

/** The same checks, writing nothing: what a machine is sent was looked at here. */
export async function vetArchive(input: ArchiveInput): Promise<readonly UnpackedEntry[]> {
  return explained(input, async () => {
    await using file = await openVetted(input);
    return await readThrough(file, input);
  });
}

async function unpackInto(
  directory: string,
  file: ArchiveFile,
  input: ArchiveInput,
): Promise<readonly UnpackedEntry[]> {
  await using disk = new DiskWriter(directory);
  return await readThrough(file, input, disk);
}

async function openVetted({ path, format, signal }: ArchiveInput): Promise<ArchiveFile> {
  signal.throwIfAborted();
  const file = await openArchiveFile(path, signal);
  try {
    checkFormat(format, await headOf(file, 512));
    return file;
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function readThrough(
  file: ArchiveFile,
  input: ArchiveInput,
  disk?: DiskWriter,
): Promise<readonly UnpackedEntry[]> {
  const allowance = new Allowance(input.limits ?? generousLimits, file.size);
  const tree = new ArchiveTree(allowance);
  await readMembers(file, input, {
    allowance,
    take: (member) => {
      const { directories, file: entry } = tree.add(member);
      for (const directory of directories) disk?.directory(directory);
      return entry && disk?.file(entry.path, entry);
    },
  });
  const entries = tree.settle();
  if (disk) await makeLinks(disk, tree);
  return entries;
}

/** While files were written there was no link, so nothing could be written through one. */
async function makeLinks(disk: DiskWriter, tree: ArchiveTree): Promise<void> {
  for (const link of tree.hardLinks) disk.hardLink(link);
  for (const link of tree.symlinks) disk.symlink(link);
  for (const link of tree.symlinks) await disk.checkLink(link);
}

function readMembers(
  file: ArchiveFile,
  { name, format }: ArchiveInput,
  reading: { readonly take: Take; readonly allowance: Allowance },
): Promise<void> {
  if (format === "zip") return readZip(file, reading.take, reading.allowance);
  if (format === "raw") return readProgram(file, name, reading);
  // Of gzip and xz the end of the data says that all is there.
  const bare = format === "tar" || format === "tar.zst";
  return readTar(plainBytes(format, file), { ...reading, bare });
}

/** Says what is refused in the words of the catalogue, and of what archive. */
async function explained<T>({ name, signal }: ArchiveInput, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Refusal) {
      const { fault, entry, message: reason } = error;
      throw new ProvisionError("ARCHIVE_REFUSED", { name, fault, entry, reason }, { cause: error });
    }
    const { code, syscall, message: reason } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    throw new ProvisionError("UNPACK_FAILED", { name, code, reason }, { cause: error });
  }
}
