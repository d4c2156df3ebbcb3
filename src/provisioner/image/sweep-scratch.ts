import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { isAlive, type ProcessIdentity } from "../local/process-identity.ts";
import { ownerFile } from "../local/scratch.ts";
import { partialPrefix } from "./image-store.ts";

/** Where scratch directories can be, and how their names begin. */
interface ScratchPlace {
  readonly folder: string;
  readonly prefix: string;
}

/**
 * Finds scratch directories that dead processes left in these places and, unless only looking, removes them.
 * Gives their paths. One without an owner is not ours.
 */
export async function sweepScratch(
  places: readonly ScratchPlace[],
  options: { readonly check: boolean },
): Promise<string[]> {
  const found: string[] = [];
  for (const { folder, prefix } of places) {
    const names = await readdir(folder).catch(() => []);
    for (const path of names.filter((name) => name.startsWith(prefix)).map((name) => join(folder, name))) {
      const owner = await ownerOf(path);
      if (!owner || (await isAlive(owner))) continue;
      if (!options.check) await rm(path, { recursive: true, force: true });
      found.push(path);
    }
  }
  return found;
}

/** Where scratch directories can be: of guests, of bases, and unfinished images of each name in the store. */
export async function scratchPlaces(cacheDir: string, store: string): Promise<ScratchPlace[]> {
  const names = await readdir(store).catch(() => []);
  return [
    { folder: join(cacheDir, "work"), prefix: "" },
    { folder: join(cacheDir, "scratch"), prefix: "" },
    // Kept machines that are whole have no owner any more.
    { folder: join(cacheDir, "machines"), prefix: "" },
    // What is published stays, whatever lies in it.
    ...names.map((name) => ({ folder: join(store, name), prefix: partialPrefix })),
  ];
}

async function ownerOf(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(join(path, ownerFile), "utf8")) as ProcessIdentity;
  } catch {
    // Absent, or cut off when its writer died: nobody can say whose it is.
    return undefined;
  }
}
