import { ProvisionError } from "../core/errors.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";
import { assetOf, findDigest, type FoundFile } from "./find-digest.ts";
import type { Release } from "./release-list.ts";
import type { BumpShop } from "./renewal.ts";
import { wantedFiles } from "./wanted-files.ts";

/**
 * Finds files of the pinned release that are others by now than those that were pinned. Upstream put new bytes under
 * an old name, or somebody else did: only a person can tell, so it is an error unless it was accepted.
 */
export async function findRepublished(
  name: string,
  entry: ToolEntry,
  release: Release,
  shop: BumpShop,
): Promise<readonly FoundFile[]> {
  const differing = wantedFiles(name, entry).filter((file) => {
    const found = assetOf(name, file, release)?.sha256;
    return found !== undefined && found !== file.sha256;
  });
  const [file] = differing;
  if (!file) return [];
  if (shop.acceptRepublished)
    return await Promise.all(differing.map((each) => findDigest({ name, entry }, each, release, shop)));
  const asset = assetOf(name, file, release);
  const uploaded =
    asset?.uploadedAt === undefined ? "at an unknown time" : new Date(asset.uploadedAt).toISOString();
  throw new ProvisionError("ASSET_REPUBLISHED", {
    tool: name,
    version: entry.version,
    asset: file.name,
    pinned: file.sha256,
    found: asset?.sha256 ?? "",
    uploaded,
  });
}
