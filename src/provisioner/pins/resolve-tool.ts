import { createHash } from "node:crypto";

import {
  type Architecture,
  architectures,
  type ArtifactFormat,
  type ToolArtifact,
  type ToolPin,
} from "../core/tool-pin.ts";
import { formatOf, stemOf } from "./artifact-format.ts";
import { fillIn, UnknownVariable } from "./fill-in.ts";
import type { ToolEntry, ToolPart } from "./tool-entry.ts";

/** Something in an entry that its schema cannot see. */
export class EntryProblem extends Error {
  /** Where in the entry: keys and indices. */
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], reason: string) {
    super(reason);
    this.name = "EntryProblem";
    this.path = path;
  }
}

/** Words of upstreams that name a machine by themselves. */
const machineWords: Readonly<Record<string, Architecture>> = {
  x86_64: "x86_64",
  amd64: "x86_64",
  x64: "x86_64",
  aarch64: "aarch64",
  arm64: "aarch64",
};

/** The architectures an entry has digests for. */
export function architecturesOf(entry: ToolEntry): readonly Architecture[] {
  const { sha256 } = entry;
  if (typeof sha256 !== "string") return architectures.filter((each) => sha256[each] !== undefined);
  const word = typeof entry.arch === "string" ? machineWords[entry.arch] : undefined;
  if (word !== undefined) return [word];
  throw new EntryProblem(
    ["sha256"],
    "must be a digest for each architecture (x86_64, aarch64), is one and arch does not say for which",
  );
}

/**
 * An entry as one architecture gets it; `undefined` when it has no digest for it. Throws EntryProblem for what
 * contradicts itself.
 */
export function resolveTool(name: string, entry: ToolEntry, architecture: Architecture): ToolPin | undefined {
  if (!architecturesOf(entry).includes(architecture)) return undefined;
  const { version, license, system = false } = entry;
  const to = treeTarget(entry);
  const words = wordsOf(entry, architecture);
  const main = resolveArtifact(name, entry, { words, architecture, at: [] });
  const withTree: ToolArtifact =
    to === undefined
      ? main
      : { ...main, tree: { to, roots: rootsOf(entry, { ...words, stem: stemOf(main) }) } };
  checkMain(withTree);
  const parts = (entry.parts ?? []).map((part, index) =>
    resolveArtifact(name, part, { words, architecture, at: ["parts", index] }),
  );
  const artifacts: ToolPin["artifacts"] = [withTree, ...parts];
  const id = `${version}-${layoutDigest(artifacts)}`;
  return { name, version, architecture, id, system, license, artifacts };
}

interface Place {
  readonly words: Readonly<Record<string, string>>;
  readonly architecture: Architecture;
  readonly at: readonly (string | number)[];
}

function resolveArtifact(tool: string, entry: ToolEntry | ToolPart, place: Place): ToolArtifact {
  const { words, architecture, at } = place;
  const pick = (key: "artifact" | "url" | "sha256"): string | undefined => {
    const value = entry[key];
    if (value === undefined || typeof value === "string") return value;
    const picked = value[architecture];
    if (picked === undefined)
      throw new EntryProblem([...at, key], `must have "${architecture}", as sha256 does`);
    return picked;
  };
  const fill = (key: string, text: string, more: Readonly<Record<string, string>> = {}) =>
    filled([...at, key], text, { ...words, ...more });

  const sha256 = pick("sha256") ?? "";
  const artifact = pick("artifact");
  const url = pick("url");
  if ((artifact === undefined) === (url === undefined))
    throw new EntryProblem(at, 'must have "artifact" or "url", and not both');
  const whole = url === undefined ? releaseUrl(fill("artifact", artifact ?? ""), place) : fill("url", url);
  const name = decodeURIComponent(whole.slice(whole.lastIndexOf("/") + 1).replace(/[?#].*$/, ""));
  if (name === "" || name.startsWith(".") || /[/\\\0]/.test(name))
    throw new EntryProblem(
      [...at, url === undefined ? "artifact" : "url"],
      "must end with the name of a file",
    );
  const format: ArtifactFormat = entry.format ?? formatOf(name);
  const stem = stemOf({ name, format });
  const inside = { stem, artifact: name };
  const binaries = binariesOf(tool, entry, format, architecture).map(({ command, path, key }) => ({
    command,
    path:
      path === "" ? "" : insidePath([...at, ...key], filled([...at, ...key], path, { ...words, ...inside })),
  }));
  if (format === "raw" && entry.extra)
    throw new EntryProblem([...at, "extra"], "must be left out: a raw file holds nothing beside the program");
  const extras = (entry.extra ?? []).map(({ from, to }, index) => {
    const key = [...at, "extra", index, "from"];
    return { from: insidePath(key, filled(key, from, { ...words, ...inside })), to };
  });
  return { name, url: whole, sha256, format, binaries, tree: undefined, extras };
}

function releaseUrl(artifact: string, { words, at }: Place): string {
  const { repo = "", tag = "" } = words;
  if (repo === "") throw new EntryProblem([...at, "artifact"], 'must have "repo" beside it, or be a "url"');
  const segments = [tag, artifact].map((each) => each.split("/").map(encodeURIComponent).join("%2F"));
  return `https://github.com/${repo}/releases/download/${segments.join("/")}`;
}

function binariesOf(
  tool: string,
  { binary }: ToolEntry | ToolPart,
  format: ArtifactFormat,
  architecture: Architecture,
): { readonly command: string; readonly path: string; readonly key: readonly string[] }[] {
  const key = ["binary"];
  if (format === "raw") {
    if (binary === undefined || typeof binary === "string")
      return [{ command: binary ?? tool, path: "", key }];
    throw new EntryProblem(key, "must be the name the raw file gets, is a mapping");
  }
  if (binary === undefined) return [];
  if (typeof binary === "string") return [{ command: lastSegment(binary), path: binary, key }];
  if (Object.keys(binary).every((each) => (architectures as readonly string[]).includes(each))) {
    const path = binary[architecture];
    if (path === undefined) throw new EntryProblem(key, `must have "${architecture}", as sha256 does`);
    return [{ command: lastSegment(path), path, key: [...key, architecture] }];
  }
  return Object.entries(binary).map(([command, path]) => ({ command, path, key: [...key, command] }));
}

/** What stands for what in the texts of an entry. */
export function wordsOf(entry: ToolEntry, architecture: Architecture): Readonly<Record<string, string>> {
  const { version, repo = "", arch } = entry;
  const [major = "", minor = ""] = version.split(".");
  const word = typeof arch === "string" ? arch : (arch?.[architecture] ?? (arch ? undefined : architecture));
  if (word === undefined) throw new EntryProblem(["arch"], `must have "${architecture}", as sha256 does`);
  const words = { version, major, minor, repo, os: "linux", arch: word };
  return { ...words, tag: filled(["tag"], entry.tag ?? "v{version}", words) };
}

/** Relative to the prefix; `undefined` when only the programs are wanted. */
function treeTarget({ extract_to: to }: ToolEntry): string | undefined {
  return to?.replace(/^(~\/\.local|\/usr\/local)\/?/, "");
}

function rootsOf({ root }: ToolEntry, words: Readonly<Record<string, string>>): readonly string[] {
  if (root === undefined) return [""];
  return [root].flat().map((each) => insidePath(["root"], filled(["root"], each, words)));
}

function checkMain({ format, binaries, tree }: ToolArtifact): void {
  if (format === "raw" && tree)
    throw new EntryProblem(["extract_to"], "must be left out: a raw file has nothing to extract");
  if (format !== "raw" && !tree && binaries.length === 0)
    throw new EntryProblem(
      [],
      'must have "binary" or "extract_to": nothing of the archive would be installed',
    );
}

function filled(
  path: readonly (string | number)[],
  text: string,
  words: Readonly<Record<string, string>>,
): string {
  try {
    return fillIn(text, words);
  } catch (error) {
    if (error instanceof UnknownVariable) throw new EntryProblem(path, error.message);
    throw error;
  }
}

/** A path in an archive, which must not lead out of it. */
function insidePath(at: readonly (string | number)[], path: string): string {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..") || /[\\\p{Cc}]/u.test(path))
    throw new EntryProblem(
      at,
      `must be a path inside the archive, without dots and empty parts, is "${path}"`,
    );
  return path;
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Of everything that decides which bytes lie where; where they came from does not. */
function layoutDigest(artifacts: readonly ToolArtifact[]): string {
  const layout = artifacts.map(({ sha256, format, binaries, tree, extras }) => [
    sha256,
    format,
    binaries.map(({ command, path }) => [command, path]),
    tree ? [tree.to, tree.roots] : null,
    extras.map(({ from, to }) => [from, to]),
  ]);
  return createHash("sha256").update(JSON.stringify(layout)).digest("hex").slice(0, 12);
}
