import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { otherThanPinned } from "../core/openpgp.ts";
import type { SigningKey } from "../core/repository-pin.ts";
import { holdLock } from "../local/lock.ts";
import type { CacheOptions } from "./artifact-cache.ts";
import { DownloadRefused } from "./download-refused.ts";
import { download } from "./download.ts";
import { placesOf } from "./mirrors.ts";
import { shownUrl } from "./place.ts";

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

/** Tries each place in turn. */
async function fill(key: SigningKey, path: string, options: CacheOptions): Promise<string> {
  const { run, mirrors } = options;
  const { name, url: original, fingerprints } = key;
  const partial = `${path}.partial`;
  const tried: { url: string; reason: string }[] = [];
  let differs: ProvisionError | undefined;
  for (const place of placesOf(original, mirrors)) {
    const url = shownUrl(place);
    try {
      // Keys are small and no digest says which beginning is ours: always from the start.
      await forget(partial);
      await download(place, { ...options, partial, kind: "sha256" });
      const text = await readFile(partial, "utf8");
      const reason = otherThanPinned(text, fingerprints);
      if (reason === undefined) {
        await rename(partial, path);
        return text;
      }
      differs = new ProvisionError("KEY_DIFFERS", { name, url, reason });
      run.note(differs.message, "warning");
    } catch (error) {
      run.signal.throwIfAborted();
      if (!(error instanceof DownloadRefused)) throw error;
      tried.push({ url, reason: error.message });
      run.note(`${url}: ${error.message}`, "warning");
    } finally {
      await forget(partial);
    }
  }
  // A wrong key is worse news than none.
  throw differs ?? new ProvisionError("DOWNLOAD_FAILED", { name, tried });
}

async function forget(partial: string): Promise<void> {
  await rm(partial, { force: true });
  await rm(`${partial}.json`, { force: true });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
