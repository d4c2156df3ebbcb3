import { access, stat, writeFile } from "node:fs/promises";

import { vetArchive } from "../archive/unpack-archive.ts";
import type { Source } from "../core/task.ts";
import type { PackedFile } from "../core/tool-pin.ts";
import { type CacheOptions, fetchArtifact } from "../pins/artifact-cache.ts";

/** Counts up when the checks of archives get stricter: what passed the older ones is looked at again. */
const CHECKS = 1;

/** Pinned bytes on this machine's disk, whose every entry was looked at: once for each digest. */
export async function vettedArtifact(file: PackedFile, options: CacheOptions): Promise<Source> {
  const { name, sha256, format } = file;
  const { path } = await fetchArtifact(file, options);
  const record = `${path}.vetted-${format}-${CHECKS}`;
  if (!(await isThere(record))) {
    const { signal } = options.run;
    await options.run.within(`Check ${name}`, () => vetArchive({ name, path, format, signal }));
    // Only spares the next look: a cache of somebody else, which cannot be written to, is no error.
    await writeFile(record, "").catch(() => undefined);
  }
  return { path, sha256, size: (await stat(path)).size };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
