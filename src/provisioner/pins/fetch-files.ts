import pLimit from "p-limit";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { holdLock } from "../local/lock.ts";
import { type CacheOptions, fetchArtifact, findArtifact } from "./artifact-cache.ts";
import { carry, placeInFolder, sizeIfCarried, tidyFolder } from "./carry-folder.ts";
import type { WantedFile } from "./wanted-files.ts";

/** What became of a file. */
export interface FileOutcome extends WantedFile {
  /** `there`: nothing to do. `fetched`: was not in the cache. `copied`: out of the cache into the folder. */
  readonly outcome: "there" | "fetched" | "copied" | "failed" | "would-fetch";
  /** Where it lies. */
  readonly path?: string;
  readonly bytes?: number;
  readonly error?: ProvisionError;
}

/** Files to fetch, and where to. */
export interface FetchOrder {
  readonly files: readonly WantedFile[];
  readonly cache: Omit<CacheOptions, "run">;
  /** The folder they are put into; the cache alone when there is none. Absolute. */
  readonly out: string | undefined;
  readonly run: Run;
}

/** More at once do not fill a line better, and servers count. */
const together = 4;

/** Says of each file whether it is there; fetches nothing. */
export async function lookForFiles(order: FetchOrder): Promise<readonly FileOutcome[]> {
  return eachFile(order, async (file) => (await found(file, order)) ?? { ...file, outcome: "would-fetch" });
}

/** Fetches each file on its own: one that fails does not stop the others. */
export async function fetchFiles(order: FetchOrder): Promise<readonly FileOutcome[]> {
  const { out, run } = order;
  if (out === undefined) return eachFile(order, (file) => bring(file, order));
  try {
    await using _lock = await holdLock(`${out}/.fetch`, out, run);
    const outcomes = await eachFile(order, (file) => bring(file, order));
    await tidyFolder(out);
    return outcomes;
  } catch (error) {
    throw unusable(out, error);
  }
}

async function eachFile(
  { files, run }: FetchOrder,
  work: (file: WantedFile) => Promise<FileOutcome>,
): Promise<readonly FileOutcome[]> {
  const limit = pLimit(together);
  const settled = await Promise.allSettled(
    files.map((file) =>
      limit(async () => {
        run.signal.throwIfAborted();
        return work(file);
      }),
    ),
  );
  run.signal.throwIfAborted();
  return settled.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}

async function bring(file: WantedFile, order: FetchOrder): Promise<FileOutcome> {
  const { cache, out, run } = order;
  try {
    const there = await found(file, order);
    if (there) return there;
    const fetched = await fetchArtifact(file.artifact, { ...cache, run });
    const { bytes, cached } = fetched;
    if (out === undefined) return { ...file, outcome: "fetched", path: fetched.path, bytes };
    const path = placeInFolder(out, file.artifact, file.file);
    await carry(fetched, path);
    return { ...file, outcome: cached ? "copied" : "fetched", path, bytes };
  } catch (error) {
    run.signal.throwIfAborted();
    const known = out === undefined ? error : unusable(out, error);
    if (!(known instanceof ProvisionError)) throw error;
    return { ...file, outcome: "failed", error: known };
  }
}

/** The file where it is wanted, if it is there. */
async function found(file: WantedFile, { cache, out }: FetchOrder): Promise<FileOutcome | undefined> {
  const cached = await findArtifact(file.artifact, cache.cacheDir);
  if (out === undefined)
    return cached && { ...file, outcome: "there", path: cached.path, bytes: cached.bytes };
  const path = placeInFolder(out, file.artifact, file.file);
  const bytes = await sizeIfCarried(path, file.artifact, cached);
  return bytes === undefined ? undefined : { ...file, outcome: "there", path, bytes };
}

/** The folder of --out, when it was the system that refused it. */
function unusable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const mend = "Name a folder that this user can write to with --out";
  return new ProvisionError("FOLDER_UNUSABLE", { path, reason: error.message, mend }, { cause: error });
}
