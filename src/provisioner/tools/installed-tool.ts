import { existsSync } from "node:fs";
import { join } from "node:path";

import { linkText, namesIn } from "./path-facts.ts";
import { linksFile, type Prefix } from "./prefix.ts";

/** What the store has of a tool. */
export interface InstalledTool {
  readonly name: string;
  /** The store's directory of it. */
  readonly directory: string;
  /** Versions that are whole, by the names of their directories. */
  readonly ids: readonly string[];
  /** The one that is in use. */
  readonly current: string | undefined;
  /** The one that a rollback goes to. */
  readonly previous: string | undefined;
}

/** Looks a tool up in the store; `undefined` when there is nothing of it. */
export function findInstalled(prefix: Prefix, name: string): InstalledTool | undefined {
  const directory = join(prefix.store, name);
  const names = namesIn(directory);
  if (names === undefined) return undefined;
  const ids = names.filter(
    (each) => each !== "current" && each !== "previous" && existsSync(join(directory, each, linksFile)),
  );
  const current = ids.find((id) => id === linkText(join(directory, "current")));
  const others = ids.filter((id) => id !== current);
  const marked = others.find((id) => id === linkText(join(directory, "previous")));
  // Killed between the two links of a rollback, both name one version: the other one is meant.
  const previous = marked ?? (others.length === 1 ? others[0] : undefined);
  return { name, directory, ids, current, previous };
}

/** Names of all tools that the store has something of. */
export function installedNames(prefix: Prefix): readonly string[] {
  return (namesIn(prefix.store) ?? []).filter((name) => !name.startsWith(".")).toSorted();
}

/** The version in the name of a directory: `1.7.1` of `1.7.1-0123456789ab`. */
export function versionOf(id: string): string {
  return id.replace(/-[0-9a-f]{12}$/, "");
}
