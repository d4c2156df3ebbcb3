import { statfs } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";

/** Throws DISK_FULL unless this many bytes are free where `path` is. */
export async function needSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  if (free < bytes)
    throw new ProvisionError("DISK_FULL", { path, neededMiB: mib(bytes), freeMiB: mib(free) });
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
