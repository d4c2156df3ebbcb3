import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { type DigestKind, findKept, keep } from "../local/kept-file.ts";
import { holdLock } from "../local/lock.ts";
import { download, type DownloadOptions, DownloadRefused } from "./download.ts";
import type { Mirrors } from "./manifest.ts";
import { placesOf } from "./mirrors.ts";

/** Bytes that are pinned: where they are and what they must be. */
export interface Artifact {
  /** For people. */
  readonly name: string;
  readonly url: string;
  readonly sha256?: string | undefined;
  readonly sha512?: string | undefined;
}

/** An artifact in the cache. */
export interface FetchedArtifact {
  readonly path: string;
  /** "sha256:…" or "sha512:…". */
  readonly digest: string;
  /** True when nothing had to be fetched. */
  readonly cached: boolean;
}

/** Where the cache is, and how patiently it is filled. */
export interface CacheOptions extends Pick<DownloadOptions, "stallMs" | "attempts" | "pause"> {
  readonly cacheDir: string;
  readonly mirrors: Mirrors;
  readonly run: Run;
}

/** Gives a pinned artifact: from the cache by its digest, or fetched, checked while it streams, and kept. */
export async function fetchArtifact(artifact: Artifact, options: CacheOptions): Promise<FetchedArtifact> {
  const { kind, hex } = pinOf(artifact);
  const directory = join(options.cacheDir, "artifacts");
  const path = join(directory, `${kind}-${hex}`);
  const digest = `${kind}:${hex}`;
  if (await findKept(path)) return { path, digest, cached: true };

  await mkdir(directory, { recursive: true, mode: 0o755 });
  await using _lock = await holdLock(`${path}.lock`, artifact.name, options.run);
  // Another run may have fetched it while this one waited.
  if (await findKept(path)) return { path, digest, cached: true };
  await options.run.within(`Download ${artifact.name}`, async (run) => {
    const partial = `${path}.partial`;
    const url = await fetchFrom(artifact, { ...options, run, partial, kind, hex });
    await rm(`${partial}.json`, { force: true });
    await keep(partial, path, { digest, facts: { name: artifact.name, url } });
  });
  return { path, digest, cached: false };
}

/** Tries each place in turn; gives the one that had it. */
async function fetchFrom(
  artifact: Artifact,
  options: CacheOptions & { readonly partial: string; readonly kind: DigestKind; readonly hex: string },
): Promise<string> {
  const { kind, hex, partial, run, mirrors } = options;
  const tried: { url: string; reason: string }[] = [];
  for (const url of placesOf(artifact.url, mirrors)) {
    try {
      // What an earlier run left may be of other bytes: only a whole download speaks against a place.
      let result = await download(url, { ...options, partial, kind });
      if (result.hex !== hex && result.resumed) {
        await forget(partial);
        result = await download(url, { ...options, partial, kind });
      }
      if (result.hex === hex) return url;
      await forget(partial);
      throw new ProvisionError("DIGEST_DIFFERS", {
        name: artifact.name,
        url,
        wanted: `${kind} ${hex}`,
        got: result.hex,
      });
    } catch (error) {
      run.signal.throwIfAborted();
      if (!(error instanceof DownloadRefused)) throw error;
      tried.push({ url, reason: error.message });
      run.note(`${url}: ${error.message}`, "warning");
    }
  }
  throw new ProvisionError("DOWNLOAD_FAILED", { name: artifact.name, tried });
}

async function forget(partial: string): Promise<void> {
  await rm(partial, { force: true });
  await rm(`${partial}.json`, { force: true });
}

function pinOf({ name, sha256, sha512 }: Artifact): { readonly kind: DigestKind; readonly hex: string } {
  if (sha512 !== undefined) return { kind: "sha512", hex: sha512 };
  if (sha256 !== undefined) return { kind: "sha256", hex: sha256 };
  // The schema asks for one; a caller that has none must not get unchecked bytes.
  throw new Error(`Cannot fetch ${name}: no digest is pinned`);
}
