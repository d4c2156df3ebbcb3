import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

import { namesIn, statOf } from "./path-facts.ts";
import { beside, incomingPath, levels, type Prefix, stateName } from "./prefix.ts";

/** Makes a directory with all above it, open to everybody whatever the umask is. */
export function makeOpenDirectory(path: string): void {
  if (existsSync(path)) return;
  makeOpenDirectory(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

/**
 * Makes the store with a list of what of the prefix was not there before: all of it beside its place and then by one
 * rename, so that a run which is killed never leaves a directory that nobody knows the maker of.
 */
export function makeStore(prefix: Prefix): void {
  const top = levels(prefix).find((path) => !existsSync(path));
  if (top === undefined) {
    makeOpenDirectory(prefix.store);
    return;
  }
  makeOpenDirectory(dirname(top));
  const store = join(beside(top), relative(top, prefix.store));
  makeOpenDirectory(store);
  const missing = [".", "share"].filter((path) => !existsSync(join(prefix.root, path)));
  writeOpenFile(join(dirname(store), listName), missing.join("\n"));
  renameSync(beside(top), top);
}

/** Makes directories of the prefix, by their paths in it. What is there already is never ours. */
export function makeDirectories(prefix: Prefix, paths: Iterable<string>): void {
  const missing = new Set<string>();
  for (const path of paths) {
    for (let each = path; each !== "." && !existsSync(join(prefix.root, each)); each = dirname(each))
      missing.add(each);
  }
  if (missing.size === 0) return;
  // Written down first: what a killed run made is known to be ours.
  writeList(prefix, new Set([...readList(prefix), ...missing]));
  for (const path of missing) makeOpenDirectory(join(prefix.root, path));
}

/** Removes the directories that we made and that hold nothing any more. */
export function pruneDirectories(prefix: Prefix): void {
  const made = readList(prefix);
  const kept = new Set(made);
  // The longest paths first: what is above may become empty by it.
  for (const path of [...made].toSorted((one, other) => other.length - one.length)) {
    if (!removeWhenEmpty(join(prefix.root, path))) continue;
    kept.delete(path);
  }
  if (kept.size !== made.size) writeList(prefix, kept);
}

/** After the last tool: removes the store, and of the directories that it needed those that we made, at one blow. */
export function removeStore(prefix: Prefix): void {
  const made = readList(prefix);
  const [root, share, own] = levels(prefix);
  const known = new Set(["store", listName, stateName]);
  // Files of others that --force put aside stay, and what says which directories are ours with them.
  const isAlone = (namesIn(own) ?? []).every((name) => known.has(name));
  const isShareOurs = isAlone && made.has("share") && namesIn(share)?.length === 1;
  const isRootOurs = isShareOurs && made.has(".") && namesIn(root)?.length === 1;
  const top = isRootOurs ? root : isShareOurs ? share : isAlone ? own : prefix.store;
  renameSync(top, beside(top));
  rmSync(beside(top), { recursive: true });
}

/** Where files of others lie that were in the way of a link. */
export function replacedDirectory(prefix: Prefix): string {
  return join(prefix.own, "replaced");
}

/** Says whether it is gone. */
function removeWhenEmpty(path: string): boolean {
  // Somebody may have put a link in its place since.
  if (statOf(path)?.isDirectory() === false) return true;
  const names = namesIn(path);
  if (names?.length === 0) rmdirSync(path);
  return names === undefined || names.length === 0;
}

const listName = "directories";

function listOf(prefix: Prefix): string {
  return join(prefix.own, listName);
}

function readList(prefix: Prefix): ReadonlySet<string> {
  if (!existsSync(listOf(prefix))) return new Set();
  return new Set(readFileSync(listOf(prefix), "utf8").split("\n").filter(Boolean));
}

function writeList(prefix: Prefix, paths: ReadonlySet<string>): void {
  const partial = incomingPath(prefix);
  writeOpenFile(partial, [...paths].toSorted().join("\n"));
  renameSync(partial, listOf(prefix));
}

function writeOpenFile(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o644);
}
