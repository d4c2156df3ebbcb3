import type { ToolEntry } from "../pins/tool-entry.ts";
import type { Edit } from "./edit-scalars.ts";
import { type DigestSearch, findDigest, type FoundFile } from "./find-digest.ts";
import type { Release } from "./release-list.ts";
import { unusable } from "./unusable.ts";
import { wantedFiles } from "./wanted-files.ts";

/** The digest of every file of a tool, for each architecture: one that cannot be had fails the tool. */
export async function findFiles(
  name: string,
  entry: ToolEntry,
  release: Release,
  search: DigestSearch,
): Promise<readonly FoundFile[]> {
  const byUrl = new Map<string, Promise<FoundFile>>();
  const asked = wantedFiles(name, entry).map(async (file) => {
    // One file for every architecture, such as completions, is looked up once.
    const known = byUrl.get(file.url) ?? findDigest({ name, entry }, file, release, search);
    byUrl.set(file.url, known);
    return { ...(await known), ...file };
  });
  // None is left running behind an error, and of several errors it is always the first file's.
  await Promise.allSettled(asked);
  const found = await Promise.all(asked);
  for (const one of found) {
    const other = found.find((each) => samePlace(each, one) && each.found !== one.found);
    if (!other) continue;
    const reason = `${one.path.join(".")} is one digest for two files, ${one.url} and ${other.url}`;
    throw unusable(name, reason, `Give ${name} a digest for each architecture in versions.yaml`);
  }
  return found;
}

/** What is to be written for digests that were found. */
export function digestEdits(name: string, files: readonly FoundFile[]): readonly Edit[] {
  return files
    .filter((file, index) => files.findIndex((each) => samePlace(each, file)) === index)
    .map(({ path, found }) => ({ path: ["tools", name, ...path], value: found }));
}

function samePlace(one: FoundFile, other: FoundFile): boolean {
  return one.path.join("\0") === other.path.join("\0");
}
