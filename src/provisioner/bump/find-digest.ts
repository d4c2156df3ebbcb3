import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { openScratch } from "../local/scratch.ts";
import { download } from "../pins/download.ts";
import { DownloadRefused } from "../pins/download-refused.ts";
import { fillIn, UnknownVariable } from "../pins/fill-in.ts";
import { wordsOf } from "../pins/resolve-tool.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";
import { cappedFetch } from "./capped-fetch.ts";
import { findInList } from "./checksum-list.ts";
import { nearestNames } from "./nearest-names.ts";
import type { Asset, Release } from "./release-list.ts";
import { unusable } from "./unusable.ts";
import type { WantedFile } from "./wanted-files.ts";

/** How a digest was had: from the API, from a list of upstream's, from both, or by hashing what was downloaded. */
export type DigestOrigin = "asset" | "checksums" | "asset, checksums" | "downloaded";

/** A file with the digest it has upstream. */
export interface FoundFile extends WantedFile {
  readonly found: string;
  readonly origin: DigestOrigin;
  readonly asset: Asset | undefined;
}

/** What digests are found with. */
export interface DigestSearch {
  readonly run: Run;
  readonly fetch: typeof fetch;
  /** Where a file lies while it is hashed. */
  readonly workDir: string;
}

const mostListBytes = 4 * 1024 ** 2;
/** No program we know of is larger; a server that never ends is stopped here. */
const mostFileBytes = 4 * 1024 ** 3;

/** The file as the release has it; throws ASSET_MISSING when the release should have it and has not. */
export function assetOf(tool: string, file: WantedFile, release: Release): Asset | undefined {
  const { assets } = release;
  const asset = assets.find(file.released ? ({ name }) => name === file.name : ({ url }) => url === file.url);
  if (asset || !file.released) return asset;
  throw new ProvisionError("ASSET_MISSING", {
    tool,
    tag: release.tag,
    asset: file.name,
    architecture: file.architecture,
    nearest: nearestNames(
      file.name,
      assets.map(({ name }) => name),
    ).join(", "),
  });
}

/** Finds the digest of one file of a release by every way there is; two that differ are refused. */
export async function findDigest(
  tool: { readonly name: string; readonly entry: ToolEntry },
  file: WantedFile,
  release: Release,
  search: DigestSearch,
): Promise<FoundFile> {
  const asset = assetOf(tool.name, file, release);
  const list = listOf(tool, file, release);
  const listed = list === undefined ? undefined : await lookUp(tool.name, file, list, search);
  const told = asset?.sha256;
  if (told !== undefined && listed !== undefined && told !== listed)
    throw new ProvisionError("DIGESTS_DISAGREE", {
      tool: tool.name,
      asset: file.name,
      release: told,
      list: list ?? "",
      listed,
    });
  if (told !== undefined)
    return { ...file, asset, found: told, origin: listed === undefined ? "asset" : "asset, checksums" };
  if (listed !== undefined) return { ...file, asset, found: listed, origin: "checksums" };
  return { ...file, asset, found: await hash(file, asset, search), origin: "downloaded" };
}

/** Where upstream's list is, when the entry names one. */
function listOf(
  { name, entry }: { readonly name: string; readonly entry: ToolEntry },
  file: WantedFile,
  { assets, tag }: Release,
): string | undefined {
  const template = entry.bump?.checksums;
  if (template === undefined) return undefined;
  const filled = fillTemplate(name, template, { ...wordsOf(entry, file.architecture), artifact: file.name });
  if (/^https?:\/\//.test(filled)) return filled;
  const asset = assets.find((each) => each.name === filled);
  if (asset) return asset.url;
  throw new ProvisionError("CHECKSUM_MISSING", {
    tool: name,
    asset: file.name,
    list: filled,
    reason: `release ${tag} must have it, has ${
      nearestNames(
        filled,
        assets.map((each) => each.name),
      ).join(", ") || "nothing like it"
    }`,
  });
}

function fillTemplate(tool: string, template: string, words: Readonly<Record<string, string>>): string {
  try {
    return fillIn(template, words);
  } catch (error) {
    if (!(error instanceof UnknownVariable)) throw error;
    throw unusable(
      tool,
      `bump.checksums ${error.message}`,
      `Correct bump.checksums of ${tool} in versions.yaml`,
    );
  }
}

async function lookUp(
  tool: string,
  { name }: WantedFile,
  list: string,
  { workDir, fetch, run }: DigestSearch,
): Promise<string> {
  const missing = (reason: string, cause?: unknown) =>
    new ProvisionError("CHECKSUM_MISSING", { tool, asset: name, list, reason }, { cause });
  await using scratch = await openScratch(workDir, "bump");
  const partial = join(scratch.path, "list");
  try {
    await download(list, { partial, kind: "sha256", run, fetch: cappedFetch(fetch, mostListBytes) });
  } catch (error) {
    if (error instanceof DownloadRefused) throw missing(error.message, error);
    throw error;
  }
  const listed = findInList(await readFile(partial, "utf8"), name);
  if ("sha256" in listed) return listed.sha256;
  throw missing(listed.reason);
}

async function hash(file: WantedFile, asset: Asset | undefined, search: DigestSearch): Promise<string> {
  const { run, workDir, fetch } = search;
  // What the API says of a release is what was asked about, wherever that API's files are.
  const url = asset?.url ?? file.url;
  await using scratch = await openScratch(workDir, "bump");
  const partial = join(scratch.path, "file");
  const capped = cappedFetch(fetch, asset?.size ?? mostFileBytes);
  try {
    return await run.within(`Download ${file.name}`, async (inner) => {
      const { hex } = await download(url, { partial, kind: "sha256", run: inner, fetch: capped });
      return hex;
    });
  } catch (error) {
    if (!(error instanceof DownloadRefused)) throw error;
    throw new ProvisionError(
      "DOWNLOAD_FAILED",
      { name: file.name, tried: [{ url, reason: error.message }] },
      { cause: error },
    );
  }
}
