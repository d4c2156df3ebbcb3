import { ProvisionError } from "../core/errors.ts";
import { EntryProblem } from "../pins/resolve-tool.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";
import { chooseRelease, type Chosen } from "./choose-release.ts";
import { digestEdits, findFiles } from "./find-files.ts";
import { findRepublished } from "./find-republished.ts";
import { readSource, type ReadSource } from "./read-source.ts";
import type { BumpShop, Renewal, RenewedFile } from "./renewal.ts";
import { unusable } from "./unusable.ts";
import { readVersion } from "./version-order.ts";
import { wantedFiles } from "./wanted-files.ts";

/** Finds what a tool's pin should become. Throws ProvisionError when that cannot be known or must not be taken. */
export async function renewTool(name: string, entry: ToolEntry, shop: BumpShop): Promise<Renewal> {
  const { hold } = entry.bump ?? {};
  if (hold !== undefined && hold !== false)
    return { ...unchanged(name, entry), state: "held", notes: [hold === true ? "held" : `held: ${hold}`] };
  try {
    const source = await readSource(name, entry, shop.api);
    const { chosen, waiting } = await chooseRelease(name, entry, source, shop);
    const renewal = chosen
      ? await toNewer(name, entry, chosen, { source, shop })
      : await checkPinned(name, entry, source, shop);
    return { ...renewal, notes: [...waiting, ...renewal.notes] };
  } catch (error) {
    if (!(error instanceof EntryProblem)) throw error;
    throw unusable(name, `${error.path.join(".")} ${error.message}`, `Correct ${name} in versions.yaml`);
  }
}

function unchanged(name: string, { version, license }: ToolEntry): Renewal {
  return {
    tool: name,
    pinned: version,
    state: "current",
    version,
    publishedAt: undefined,
    link: undefined,
    license,
    files: [],
    notes: [],
    edits: [],
  };
}

async function toNewer(
  name: string,
  entry: ToolEntry,
  { version, release, publishedAt, entry: renewed }: Chosen,
  { source, shop }: { readonly source: ReadSource; readonly shop: BumpShop },
): Promise<Renewal> {
  const found = await findFiles(name, renewed, release, shop);
  const before = source.releases.find((each) => each.version === entry.version)?.release.assets ?? [];
  const old = wantedFiles(name, entry);
  const files: readonly RenewedFile[] = found.map((file, index) => ({
    ...file,
    oldSize: before.find((asset) => asset.name === old[index]?.name)?.size,
  }));
  return {
    ...unchanged(name, entry),
    state: "newer",
    version,
    publishedAt,
    link: release.link,
    files,
    edits: [{ path: ["tools", name, "version"], value: version }, ...digestEdits(name, found)],
  };
}

/** Nothing newer: what is pinned must still be there, and be the same. */
async function checkPinned(
  name: string,
  entry: ToolEntry,
  source: ReadSource,
  shop: BumpShop,
): Promise<Renewal> {
  const pinned = source.releases.find(({ version }) => version === entry.version)?.release;
  if (!pinned) {
    const { repo } = source;
    if (source.whole) throw new ProvisionError("RELEASE_GONE", { tool: name, version: entry.version, repo });
    return unchanged(name, entry);
  }
  const republished = await findRepublished(name, entry, await source.withAssets(pinned), shop);
  const pulled = !pinned.stable && readVersion(entry.version)?.stable === true;
  return {
    ...unchanged(name, entry),
    publishedAt: await source.dateOf(pinned),
    link: pinned.link,
    notes: pulled ? [`${entry.version} is marked a prerelease upstream by now`] : [],
    ...(republished.length > 0 && {
      state: "republished",
      files: republished.map((file) => ({ ...file, oldSize: undefined })),
      edits: digestEdits(name, republished),
    }),
  };
}
