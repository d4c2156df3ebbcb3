import { mkdir, statfs } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";

const GIB = 1024 ** 3;

/** Throws DISK_FULL when the file system of `path` has less than `bytes` free for us. */
export async function needSpace(path: string, bytes: number, what: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new ProvisionError("DISK_FULL", { path, what, neededGiB: gib(bytes), freeGiB: gib(free) });
}

/** What a write failed with: DISK_FULL when that was the reason. */
export async function fullDisk(
  error: unknown,
  { path, bytes, what }: { readonly path: string; readonly bytes: number; readonly what: string },
): Promise<unknown> {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  const { bavail, bsize } = await statfs(path);
  const facts = { path, what, neededGiB: gib(bytes), freeGiB: gib(bavail * bsize) };
  return new ProvisionError("DISK_FULL", facts, { cause: error });
}

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
