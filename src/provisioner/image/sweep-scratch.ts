import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { isAlive, type ProcessIdentity } from "../local/process-identity.ts";
import { ownerFile } from "../local/scratch.ts";

/**
 * Finds scratch directories that dead processes left below these folders and, unless only looking, removes them.
 * Gives their paths. One without an owner is not ours.
 */
export async function sweepScratch(
  folders: readonly string[],
  options: { readonly check: boolean },
): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const path of names.map((name) => join(folder, name))) {
      const owner = await ownerOf(path);
      if (!owner || (await isAlive(owner))) continue;
      if (!options.check) await rm(path, { recursive: true, force: true });
      found.push(path);
    }
  }
  return found;
}

/** Where scratch directories can be: of guests, of bases, and unfinished images of each name in the store. */
export async function scratchFolders(cacheDir: string, store: string): Promise<string[]> {
  const names = await readdir(store).catch(() => []);
  return [join(cacheDir, "work"), join(cacheDir, "scratch"), ...names.map((name) => join(store, name))];
}

async function ownerOf(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(join(path, ownerFile), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
}
