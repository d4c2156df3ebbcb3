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

function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1);
}
