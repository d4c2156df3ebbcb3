import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { otherThanPinned } from "../core/openpgp.ts";
import type { SigningKey } from "../core/repository-pin.ts";
import { holdLock } from "../local/lock.ts";
import type { CacheOptions } from "./artifact-cache.ts";
import { askPlaces } from "./ask-places.ts";
import { download, forget } from "./download.ts";

/**
 * Gives the armoured text of a key: from the cache by its fingerprints, or fetched. What counts is what the text
 * holds, each time it is read: a cache that somebody changed is no better than a server that sends another key.
 */
export async function fetchKey(key: SigningKey, options: CacheOptions): Promise<string> {
  const directory = join(options.cacheDir, "keys");
  const path = join(directory, `${key.fingerprints.join("-")}.asc`);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await using _lock = await holdLock(`${path}.lock`, key.name, options.run);
  const kept = await readFile(path, "utf8").catch(absent);
  if (kept !== undefined && otherThanPinned(kept, key.fingerprints) === undefined) return kept;
  return options.run.within(`Download ${key.name}`, (run) => fill(key, path, { ...options, run }));
}

function fill(key: SigningKey, path: string, options: CacheOptions): Promise<string> {
  const { name, fingerprints } = key;
  const partial = `${path}.partial`;
  return askPlaces(key, options, async (place, url) => {
    try {
      // Keys are small and no digest says which beginning is ours: always from the start.
      await forget(partial);
      await download(place, { ...options, partial, kind: "sha256" });
      const text = await readFile(partial, "utf8");
      const reason = otherThanPinned(text, fingerprints);
      if (reason !== undefined) return new ProvisionError("KEY_DIFFERS", { name, url, reason });
      await rename(partial, path);
      return text;
    } finally {
      await forget(partial);
    }
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
