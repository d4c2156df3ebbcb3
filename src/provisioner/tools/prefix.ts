import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { namesIn, statOf } from "./path-facts.ts";

/** Where tools are installed, and what of it is ours. All absolute. */
export interface Prefix {
  readonly root: string;
  /** Everything of ours but the links. */
  readonly own: string;
  /** One directory a tool: its versions, and `current`, which points at one of them. */
  readonly store: string;
}

/** The file of a version that lists the links it wants, a path a line. It is there, so the version is whole. */
export const linksFile = ".provision";

/** The file of a version that lists its files: size, time of the last write, path. */
export const filesFile = ".files";

/** The same of its commands alone, for the tools task: size and path. */
export const commandsFile = ".commands";

/** Files of a version that are not the tool's. */
export const ownFiles: ReadonlySet<string> = new Set([linksFile, filesFile, commandsFile]);

/** The file of what was as wanted last time. */
export const stateName = "state.json";

/** How names begin of what is being made or removed: whatever bears one while nobody has the lock is rubbish. */
const incoming = ".incoming";

/** The prefix at a path. */
export function prefixAt(root: string): Prefix {
  const own = join(root, "share/provision");
  return { root, own, store: join(own, "store") };
}

/** A new path in the store for what is being made or removed. */
export function incomingPath({ store }: Prefix): string {
  return join(store, `${incoming}-${randomBytes(8).toString("hex")}`);
}

/** Directories that the store lies in and that may be ours, the topmost first. */
export function levels({ root, own }: Prefix): readonly [root: string, share: string, own: string] {
  return [root, join(root, "share"), own];
}

/** The path at which a directory is made, to come into its place by one rename, or removed, after one. */
export function beside(path: string): string {
  return join(dirname(path), `${incoming}-${basename(path)}`);
}

/** What runs left that were killed. */
export function leftovers(prefix: Prefix): readonly string[] {
  const inStore = (namesIn(prefix.store) ?? []).filter((name) => name.startsWith(incoming));
  const besides = levels(prefix)
    .map(beside)
    .filter((path) => statOf(path));
  return [...inStore.map((name) => join(prefix.store, name)), ...besides];
}

/** Removes it; only for who holds the lock. */
export function removeLeftovers(prefix: Prefix): void {
  for (const path of leftovers(prefix)) rmSync(path, { recursive: true, force: true });
}
