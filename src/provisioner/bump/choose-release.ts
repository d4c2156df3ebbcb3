import type { ToolEntry } from "../pins/tool-entry.ts";
import { whyItWaits } from "./age.ts";
import { assetOf } from "./find-digest.ts";
import type { ReadSource, Versioned } from "./read-source.ts";
import type { BumpShop } from "./renewal.ts";
import { compareVersions, readVersion } from "./version-order.ts";
import { wantedFiles } from "./wanted-files.ts";

/** A release that may be taken, with its files. */
export interface Chosen extends Versioned {
  readonly publishedAt: number | undefined;
  /** The entry as it is with this version. */
  readonly entry: ToolEntry;
}

/** The stable releases that are newer than the pin, the newest first; of one major version when it is to stay. */
export function newerReleases(
  releases: readonly Versioned[],
  { version: pinned, bump }: Pick<ToolEntry, "version" | "bump">,
): readonly Versioned[] {
  const allowed = ({ version, release }: Versioned) => {
    const read = readVersion(version);
    if (!read?.stable || !release.stable) return false;
    if (bump?.major !== undefined && read.major !== bump.major) return false;
    return compareVersions(version, pinned) > 0;
  };
  return releases.filter(allowed).toSorted((one, other) => compareVersions(other.version, one.version));
}

/** Takes the newest that has been out long enough, and says why each one above it has to wait. */
export async function chooseRelease(
  name: string,
  entry: ToolEntry,
  source: ReadSource,
  shop: Pick<BumpShop, "now" | "minAgeDays">,
): Promise<{ readonly chosen: Chosen | undefined; readonly waiting: readonly string[] }> {
  const minAgeDays = shop.minAgeDays ?? entry.bump?.minAgeDays ?? 3;
  const waiting: string[] = [];
  for (const { version, release } of newerReleases(source.releases, entry)) {
    const publishedAt = await source.dateOf(release);
    const early = whyItWaits(publishedAt, shop.now(), minAgeDays);
    if (early !== undefined) {
      waiting.push(`${version} waits: ${early}`);
      continue;
    }
    const candidate = {
      version,
      release: await source.withAssets(release),
      publishedAt,
      entry: { ...entry, version },
    };
    // A file that was put into an old release yesterday has been looked at by nobody.
    const fresh = whyItWaits(lastUpload(name, candidate), shop.now(), minAgeDays);
    if (fresh === undefined) return { chosen: candidate, waiting };
    waiting.push(`${version} waits: a file of it is ${fresh}`);
  }
  return { chosen: undefined, waiting };
}

function lastUpload(name: string, { entry, release }: Chosen): number {
  return Math.max(...wantedFiles(name, entry).map((file) => assetOf(name, file, release)?.uploadedAt ?? 0));
}
