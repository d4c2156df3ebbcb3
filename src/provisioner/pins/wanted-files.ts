import { ProvisionError } from "../core/errors.ts";
import type { Architecture, ToolPin } from "../core/tool-pin.ts";
import { nearestName } from "../spec/nearest-name.ts";
import type { Artifact } from "./artifact-cache.ts";
import type { CloudImageEntry, Manifest } from "./manifest.ts";
import { fileNameOf } from "./place.ts";
import { resolveTool } from "./resolve-tool.ts";

/** A pinned file that is to be fetched, and what it belongs to. */
export interface WantedFile {
  /** The tool or base. */
  readonly of: string;
  readonly version: string;
  /** In the words of `uname -m`. */
  readonly architectures: readonly Architecture[];
  /** Its name as a file. */
  readonly file: string;
  readonly artifact: Artifact;
}

/** What of versions.yaml is to be fetched. */
export interface Choice {
  /** Tools and bases; every tool when there are none. */
  readonly names: readonly string[];
  readonly architectures: readonly Architecture[];
  /** Every base that is a file, too. */
  readonly bases: boolean;
}

/** The files of what is chosen, each once; `skipped` has no digest for any of the architectures. */
export function wantedFiles(
  manifest: Manifest,
  { names, architectures, bases }: Choice,
): { readonly files: readonly WantedFile[]; readonly skipped: readonly string[] } {
  const tools = names.length === 0 ? Object.keys(manifest.tools ?? {}) : [];
  const images = Object.keys(manifest.bases).filter((name) => bases && findImage(name, manifest));
  const chosen = [...new Set([...tools, ...names, ...images])].map((name) => ({
    name,
    files: filesOf(name, manifest, architectures),
  }));
  const without = chosen.filter(({ files }) => files.length === 0).map(({ name }) => name);
  const unpinned = names.find((name) => without.includes(name));
  if (unpinned !== undefined) throw notPinned(unpinned, architectures);
  return { files: merged(chosen.flatMap(({ files }) => files)), skipped: without };
}

function filesOf(
  name: string,
  manifest: Manifest,
  architectures: readonly Architecture[],
): readonly WantedFile[] {
  const entry = Object.hasOwn(manifest.tools ?? {}, name) ? manifest.tools?.[name] : undefined;
  if (entry) return architectures.flatMap((each) => filesOfPin(resolveTool(name, entry, each)));
  const image = findImage(name, manifest);
  if (image === undefined) throw unknown(name, manifest);
  return [fileOfImage(name, image)];
}

function filesOfPin(pin: ToolPin | undefined): readonly WantedFile[] {
  if (pin === undefined) return [];
  const { name, version, architecture } = pin;
  return pin.artifacts.map(({ name: file, url, sha256 }) => ({
    of: name,
    version,
    architectures: [architecture],
    file,
    artifact: { name: file, url, sha256 },
  }));
}

function findImage(name: string, { bases }: Manifest): CloudImageEntry | undefined {
  const entry = Object.hasOwn(bases, name) ? bases[name] : undefined;
  return entry?.kind === "cloud-image" ? entry : undefined;
}

function fileOfImage(name: string, { version, url, sha256, sha512 }: CloudImageEntry): WantedFile {
  const file = fileNameOf(url) ?? name;
  // The schema knows no other architecture of bases than amd64.
  return { of: name, version, architectures: ["x86_64"], file, artifact: { name, url, sha256, sha512 } };
}

/** What is the same for two architectures comes once. */
function merged(files: readonly WantedFile[]): readonly WantedFile[] {
  const byPlace = new Map<string, WantedFile>();
  for (const each of files) {
    const { sha256 = "", sha512 = "" } = each.artifact;
    const key = [each.of, each.file, sha256, sha512].join("\n");
    const other = byPlace.get(key);
    const architectures = [...(other?.architectures ?? []), ...each.architectures];
    byPlace.set(key, { ...each, architectures });
  }
  return [...byPlace.values()];
}

function unknown(name: string, { tools = {}, bases }: Manifest): ProvisionError {
  if (Object.hasOwn(bases, name))
    return new ProvisionError("USAGE", {
      what: `Cannot fetch "${name}": this base is made from a signed archive, not out of one file`,
      mend: "Leave it out; `provision build` makes it where the archive can be reached",
    });
  const nearest = nearestName(name, [...Object.keys(tools), ...Object.keys(bases)]);
  return new ProvisionError("USAGE", {
    what: `Cannot fetch "${name}": versions.yaml has no tool or base of this name`,
    mend: nearest === undefined ? "Name one that versions.yaml has" : `Name "${nearest}"`,
  });
}

function notPinned(name: string, architectures: readonly Architecture[]): ProvisionError {
  const which = architectures.join(" or ");
  return new ProvisionError("USAGE", {
    what: `Cannot fetch "${name}" for ${which}: versions.yaml must have a digest for it, has none`,
    mend: `Name another architecture with --arch, or add the digest under tools.${name}.sha256 in versions.yaml`,
  });
}
