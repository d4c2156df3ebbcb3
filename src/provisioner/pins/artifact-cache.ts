import { access, constants, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { type DigestKind, findKept, keep, type Kept } from "../local/kept-file.ts";
import { holdLock } from "../local/lock.ts";
import { askPlaces } from "./ask-places.ts";
import { download, type DownloadOptions, forget } from "./download.ts";
import type { Mirrors } from "./manifest.ts";
import { takeFrom } from "./take-from.ts";

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
  readonly bytes: number;
  /** True when nothing had to be fetched. */
  readonly cached: boolean;
}

/** Where the cache is, and how patiently it is filled. */
export interface CacheOptions extends Pick<DownloadOptions, "fetch" | "stallMs" | "attempts" | "pause"> {
  readonly cacheDir: string;
  readonly mirrors: Mirrors;
  /** Asks no server. */
  readonly offline?: boolean | undefined;
  /** A folder that may have it, by `fetch --out` or by hand: asked before any server. Absolute. */
  readonly from?: string | undefined;
  readonly run: Run;
}

/** Finds a pinned artifact in the cache. */
export async function findArtifact(
  artifact: Artifact,
  cacheDir: string,
): Promise<FetchedArtifact | undefined> {
  const { path, directory } = placeIn(cacheDir, artifact);
  const kept = await findKept(path).catch((error: unknown) => {
    throw unusable(directory, error);
  });
  return kept && { ...factsOf(kept), cached: true };
}

/** Gives a pinned artifact: from the cache by its digest, or fetched, checked while it streams, and kept. */
export async function fetchArtifact(artifact: Artifact, options: CacheOptions): Promise<FetchedArtifact> {
  const { cacheDir, from, offline = false } = options;
  const found = await findArtifact(artifact, cacheDir);
  if (found) return found;
  if (offline && from === undefined) throw missing(artifact, options);

  const { directory, path } = placeIn(cacheDir, artifact);
  await makeWritable(directory);
  await using _lock = await holdLock(`${path}.lock`, artifact.name, options.run);
  // Another run may have fetched it while this one waited.
  return (await findArtifact(artifact, cacheDir)) ?? (await fill(artifact, options));
}

async function fill(artifact: Artifact, options: CacheOptions): Promise<FetchedArtifact> {
  const { offline = false, from } = options;
  const { path, kind, hex } = placeIn(options.cacheDir, artifact);
  const partial = `${path}.partial`;
  const facts = { partial, kind, hex };
  const put = async (url: string): Promise<FetchedArtifact> => {
    await rm(`${partial}.json`, { force: true });
    const kept = await keep(partial, path, {
      digest: `${kind}:${hex}`,
      facts: { name: artifact.name, url },
    });
    return { ...factsOf(kept), cached: false };
  };
  const copied = from === undefined ? undefined : await copyFrom(artifact, from, { ...options, ...facts });
  if (copied !== undefined) return put(copied);
  if (offline) throw missing(artifact, options);
  return options.run.within(`Download ${artifact.name}`, async (run) =>
    put(await fetchFrom(artifact, { ...options, ...facts, run })),
  );
}

interface Filling {
  readonly partial: string;
  readonly kind: DigestKind;
  readonly hex: string;
}

/** Looks in the folder; gives where it was. What is there under its name with other bytes is said, and left alone. */
async function copyFrom(
  artifact: Artifact,
  folder: string,
  options: CacheOptions & Filling,
): Promise<string | undefined> {
  const { run, offline = false, kind, hex, partial } = options;
  const { path, wrong } = await takeFrom(folder, { ...options, url: artifact.url });
  if (path !== undefined) return path;
  if (wrong.length > 0) await forget(partial);
  for (const { path: url, hex: got } of wrong) {
    const facts = { name: artifact.name, url, wanted: `${kind} ${hex}`, got };
    const error = new ProvisionError("DIGEST_DIFFERS", facts);
    if (offline) throw error;
    run.note(error.message, "warning");
  }
  return undefined;
}

/** Gives the place that had it. */
function fetchFrom(artifact: Artifact, options: CacheOptions & Filling): Promise<string> {
  const { kind, hex, partial } = options;
  return askPlaces(artifact, options, async (place, url) => {
    const got = await downloadPinned(place, options);
    if (got === hex) return url;
    await forget(partial);
    return new ProvisionError("DIGEST_DIFFERS", { name: artifact.name, url, wanted: `${kind} ${hex}`, got });
  });
}

/** What an earlier run left may be of other bytes: only a whole download speaks against a place. */
async function downloadPinned(url: string, options: CacheOptions & Filling): Promise<string> {
  const first = await download(url, options);
  if (first.hex === options.hex || !first.resumed) return first.hex;
  await forget(options.partial);
  return (await download(url, options)).hex;
}

function placeIn(cacheDir: string, artifact: Artifact) {
  const { kind, hex } = pinOf(artifact);
  const directory = join(cacheDir, "artifacts");
  return { directory, path: join(directory, `${kind}-${hex}`), kind, hex };
}

function factsOf({ path, digest, bytes }: Kept<unknown>): Omit<FetchedArtifact, "cached"> {
  return { path, digest, bytes };
}

/** The digest an artifact is pinned by. */
export function pinOf({ name, sha256, sha512 }: Artifact): {
  readonly kind: DigestKind;
  readonly hex: string;
} {
  if (sha512 !== undefined) return { kind: "sha512", hex: sha512 };
  if (sha256 !== undefined) return { kind: "sha256", hex: sha256 };
  // The schema asks for one; a caller that has none must not get unchecked bytes.
  throw new Error(`Cannot fetch ${name}: no digest is pinned`);
}

async function makeWritable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(directory, error);
  }
}

/** Somebody else's folder, or none; anything but an error of the system is thrown on as it is. */
function unusable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const mend = "Set PROVISION_CACHE to a folder that this user can write to";
  return new ProvisionError("FOLDER_UNUSABLE", { path, reason: error.message, mend }, { cause: error });
}

function missing(artifact: Artifact, { cacheDir, from }: CacheOptions): ProvisionError {
  const { kind, hex } = pinOf(artifact);
  const places = [join(cacheDir, "artifacts"), ...(from === undefined ? [] : [from])];
  return new ProvisionError("ARTIFACT_MISSING", { name: artifact.name, digest: `${kind} ${hex}`, places });
}
