import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";

import { namesIn } from "./path-facts.ts";

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

/** What runs left that were killed. */
export function leftovers({ store }: Prefix): readonly string[] {
  return (namesIn(store) ?? []).filter((name) => name.startsWith(incoming)).map((name) => join(store, name));
}

/** Removes it; only for who holds the lock. */
export function removeLeftovers(prefix: Prefix): void {
  for (const path of leftovers(prefix)) rmSync(path, { recursive: true, force: true });
}
