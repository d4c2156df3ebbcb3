import { chmod, copyFile, link, lstat, readdir, realpath, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import type { UnpackedEntry } from "../archive/unpack-archive.ts";
import { ProvisionError } from "../core/errors.ts";
import type { ToolArtifact, ToolPin } from "../core/tool-pin.ts";
import { extraPlace, matching } from "./extra-place.ts";
import { makeOpenDirectory } from "./made-directories.ts";
import { programKind, programWords, runsOn } from "./program-kind.ts";

/** An artifact whose files lie in a directory of their own. */
export interface Unpacked {
  readonly artifact: ToolArtifact;
  readonly directory: string;
  readonly entries: readonly UnpackedEntry[];
}

/** Builds the image of a prefix out of what was unpacked; the files are moved. Gives what was not found of extras. */
export async function layOut(
  pin: ToolPin,
  parts: readonly Unpacked[],
  image: string,
): Promise<readonly string[]> {
  makeOpenDirectory(image);
  const missing: string[] = [];
  for (const part of parts) {
    const moved = await moveTree(pin, part, image);
    for (const binary of part.artifact.binaries) await placeBinary(pin, { part, image, moved }, binary);
    missing.push(...(await placeExtras(pin, { part, image, moved })));
  }
  return missing;
}

interface Placing {
  readonly part: Unpacked;
  readonly image: string;
  /** Where the tree took a path of the archive, as a path of the image. */
  readonly moved: (path: string) => string | undefined;
}

async function moveTree(pin: ToolPin, part: Unpacked, image: string): Promise<Placing["moved"]> {
  const { artifact, directory, entries } = part;
  const { tree } = artifact;
  if (tree === undefined) return () => undefined;
  for (const root of tree.roots) {
    const from = join(directory, root);
    if (!(await isDirectory(from))) throw notInside(pin, artifact, root, entries);
    await merge(from, join(image, tree.to));
  }
  // The longest root first: of two that lie in each other the inner one took it.
  const roots = tree.roots.toSorted((one, other) => other.length - one.length);
  return (path) => {
    const root = roots.find((each) => each === "" || path.startsWith(`${each}/`));
    return root === undefined ? undefined : join(tree.to, root === "" ? path : path.slice(root.length + 1));
  };
}

/** Moves what is in a directory into another, as `cp -a` would lay it over: of two files the later one stays. */
async function merge(from: string, to: string): Promise<void> {
  if ((await lstatOf(to)) === undefined) {
    makeOpenDirectory(dirname(to));
    await rename(from, to);
    await chmod(to, 0o755);
    return;
  }
  for (const name of await readdir(from)) {
    const [one, other] = [join(from, name), join(to, name)];
    const there = await lstatOf(other);
    if (there?.isDirectory() && (await isDirectory(one))) await merge(one, other);
    else {
      if (there) await rm(other, { recursive: true });
      await rename(one, other);
    }
  }
}

async function placeBinary(
  pin: ToolPin,
  { part, image, moved }: Placing,
  { command, path }: ToolArtifact["binaries"][number],
): Promise<void> {
  const { artifact, directory, entries } = part;
  const inside = path === "" ? artifact.name : path;
  const inTree = moved(inside);
  const place = join(image, "bin", command);
  const source = inTree === undefined ? join(directory, inside) : join(image, inTree);
  const program = await realpath(source).catch(() => undefined);
  if (program === undefined) throw notInside(pin, artifact, inside, entries);
  if (!(await stat(program)).isFile()) throw wrongProgram(pin, inside, "a directory");
  const kind = await programKind(program);
  if (!runsOn(kind, pin.architecture)) throw wrongProgram(pin, inside, programWords(kind));
  // A zip archive may know no modes.
  await chmod(program, 0o755);
  await put(source, place, inTree !== undefined);
}

async function placeExtras(pin: ToolPin, { part, image, moved }: Placing): Promise<readonly string[]> {
  const { artifact, directory, entries } = part;
  const files = entries.filter(({ type }) => type !== "directory").map(({ path }) => path);
  const owner = { tool: pin.name, command: firstCommand(pin) };
  const missing: string[] = [];
  for (const { from, to } of artifact.extras) {
    const found = matching(from, files);
    if (found.length === 0) missing.push(`${artifact.name} holds no "${from}"`);
    for (const path of found) {
      const inTree = moved(path);
      const source = inTree === undefined ? join(directory, path) : join(image, inTree);
      await put(source, join(image, extraPlace(path, to, owner)), inTree !== undefined);
    }
  }
  return missing;
}

/** Puts a file at a place of the image: a link where it has to stay in its tree, else the file itself. */
async function put(source: string, place: string, stays: boolean): Promise<void> {
  if (source === place) return;
  makeOpenDirectory(dirname(place));
  await rm(place, { force: true });
  if (stays) {
    await symlink(relative(dirname(place), source), place);
    return;
  }
  const file = await realpath(source);
  // Two commands may be one file of the archive: it is not moved away. Some file systems have no hard links.
  await link(file, place).catch(() => copyFile(file, place));
}

function firstCommand({ name, artifacts }: ToolPin): string {
  return artifacts.flatMap(({ binaries }) => binaries)[0]?.command ?? name;
}

function notInside(
  { name: tool }: ToolPin,
  artifact: ToolArtifact,
  path: string,
  entries: readonly UnpackedEntry[],
): ProvisionError {
  const wanted = path.slice(path.lastIndexOf("/") + 1);
  const near = entries.find((entry) => entry.path !== path && entry.path.endsWith(`/${wanted}`))?.path;
  const found = near ?? entries.find((entry) => entry.path === wanted)?.path;
  return new ProvisionError("TOOL_CONTENT_MISSING", { tool, artifact: artifact.name, path, found });
}

function wrongProgram({ name: tool, architecture }: ToolPin, path: string, got: string): ProvisionError {
  return new ProvisionError("TOOL_PROGRAM_WRONG", { tool, path, architecture, got });
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstatOf(path))?.isDirectory() ?? false;
}

async function lstatOf(path: string) {
  return lstat(path).catch(() => undefined);
}
