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
import { dirname, join } from "node:path";

import { namesIn, statOf } from "./path-facts.ts";
import { incomingPath, type Prefix } from "./prefix.ts";

/** Makes a directory with all above it, open to everybody whatever the umask is. */
export function makeOpenDirectory(path: string): void {
  if (existsSync(path)) return;
  makeOpenDirectory(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

/** Makes the store, and writes down what of the prefix was not there before. */
export function makeStore(prefix: Prefix): void {
  const missing = [".", "share"].filter((path) => !existsSync(join(prefix.root, path)));
  const wasBegun = existsSync(prefix.own);
  makeOpenDirectory(prefix.store);
  if (existsSync(listOf(prefix))) return;
  // Killed after `share` was made and before that was written down: nothing else is in it then.
  const isOurs = wasBegun && namesIn(join(prefix.root, "share"))?.length === 1;
  writeList(prefix, new Set([...missing, ...(isOurs ? ["share"] : [])]));
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

/** After the last tool: removes the store, and of the directories that it needed those that we made. */
export function removeStore(prefix: Prefix): void {
  const made = readList(prefix);
  rmSync(prefix.store, { recursive: true, force: true });
  // Files of others that --force put aside stay, and what says which directories are ours with them.
  if (existsSync(replacedDirectory(prefix))) return;
  rmSync(prefix.own, { recursive: true, force: true });
  for (const path of ["share", "."]) if (made.has(path)) removeWhenEmpty(join(prefix.root, path));
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

function listOf(prefix: Prefix): string {
  return join(prefix.own, "directories");
}

function readList(prefix: Prefix): ReadonlySet<string> {
  if (!existsSync(listOf(prefix))) return new Set();
  return new Set(readFileSync(listOf(prefix), "utf8").split("\n").filter(Boolean));
}

function writeList(prefix: Prefix, paths: ReadonlySet<string>): void {
  const partial = incomingPath(prefix);
  writeFileSync(partial, [...paths].toSorted().join("\n"));
  chmodSync(partial, 0o644);
  renameSync(partial, listOf(prefix));
}
