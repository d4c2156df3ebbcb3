import type { ToolEntry } from "../pins/tool-entry.ts";
import type { Api } from "./api.ts";
import { tagReader, usesReleases } from "./read-tag.ts";
import { commitDate, listReleases, type Release, releaseOfTag, type ReleaseSource } from "./release-list.ts";
import { unusable } from "./unusable.ts";
import { readVersion } from "./version-order.ts";

/** A release, and the version it is of. */
export interface Versioned {
  readonly version: string;
  readonly release: Release;
}

/** What a tool's repository has released, seen through its entry. */
export interface ReadSource {
  readonly repo: string;
  readonly releases: readonly Versioned[];
  /** Whether all of it was read. */
  readonly whole: boolean;
  /** Milliseconds since 1970; a tag's is its commit's. */
  dateOf(release: Release): Promise<number | undefined>;
  /** The release with its files, which are elsewhere where versions are listed by tags or in another repository. */
  withAssets(release: Release): Promise<Release>;
}

/** Reads the versions that there are of a tool. */
export async function readSource(name: string, entry: ToolEntry, api: Api): Promise<ReadSource> {
  const source = sourceOf(name, entry);
  const read = tagReader(name, entry);
  const listed = await listReleases(api, source, ({ tag }) => read(tag) === entry.version);
  const releases = listed.releases.flatMap((release) => {
    const version = read(release.tag);
    return version === undefined ? [] : [{ version, release }];
  });
  if (releases.length === 0) throw noVersion(name, source, listed.releases);
  return {
    repo: source.repo,
    releases,
    whole: listed.whole,
    dateOf: async ({ commit, publishedAt }) =>
      commit === undefined ? publishedAt : await commitDate(api, source.repo, commit),
    async withAssets(release) {
      const { repo } = entry;
      const own = source.kind === "releases" && source.repo === repo;
      if (own || repo === undefined || !usesReleases(entry)) return release;
      const found = await releaseOfTag(api, repo, release.tag);
      return { ...release, assets: found?.assets ?? [] };
    },
  };
}

function sourceOf(name: string, { version, repo, bump = {} }: ToolEntry): ReleaseSource {
  const from = bump.repo ?? repo;
  if (from === undefined) {
    const mend = `Name a repository in bump.repo of ${name} in versions.yaml, or set bump.hold`;
    throw unusable(name, "it has neither repo nor bump.repo", mend);
  }
  if (readVersion(version) === undefined) {
    const mend = `Set bump.hold of ${name} in versions.yaml, or pin a version that begins with a number`;
    throw unusable(name, `version "${version}" begins with no number, so none is newer`, mend);
  }
  return { repo: from, kind: bump.source ?? "releases" };
}

function noVersion(name: string, { repo, kind }: ReleaseSource, seen: readonly Release[]): Error {
  const some = seen.slice(0, 3).map(({ tag }) => `"${tag.slice(0, 60)}"`);
  const other = kind === "tags" ? "releases" : "tags";
  return unusable(
    name,
    `none of the ${seen.length} ${kind} of ${repo} is a version${some.length > 0 ? `: ${some.join(", ")}` : ""}`,
    `Correct tag or bump.match of ${name} in versions.yaml, or set bump.source to ${other}`,
  );
}
