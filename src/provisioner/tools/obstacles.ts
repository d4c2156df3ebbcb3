import { existsSync, renameSync, rmSync, cpSync } from "node:fs";
import { dirname, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { isLinkOf, lookAtLink } from "./links.ts";
import { makeOpenDirectory, replacedDirectory } from "./made-directories.ts";
import { namesIn, statOf } from "./path-facts.ts";
import type { Prefix } from "./prefix.ts";

/**
 * Files of others where a tool wants its links, by their paths in the prefix. Throws TOOLS_CLASH for a place that
 * another tool has.
 */
export function findObstacles(prefix: Prefix, tool: string, links: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of links) {
    const state = lookAtLink(prefix, tool, path);
    if (state.kind === "of-tool")
      throw new ProvisionError("TOOLS_CLASH", { path, one: tool, other: state.tool });
    if (state.kind === "foreign" && !isOursThroughout(prefix, tool, state.path)) found.add(state.path);
  }
  return [...found];
}

/** Throws TOOL_IN_THE_WAY when files of others are where a tool wants its links. */
export function refuseObstacles(prefix: Prefix, tool: string, links: readonly string[]): void {
  const paths = findObstacles(prefix, tool, links).map((path) => join(prefix.root, path));
  if (paths.length > 0) throw new ProvisionError("TOOL_IN_THE_WAY", { tool, paths });
}

/** Puts a file of somebody aside, with its path; gives where it is now. */
export function moveAside(prefix: Prefix, path: string): string {
  const from = join(prefix.root, path);
  const wanted = join(replacedDirectory(prefix), path);
  let to = wanted;
  for (let number = 1; statOf(to) !== undefined; number += 1) to = `${wanted}~${number}`;
  makeOpenDirectory(dirname(to));
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    rmSync(from, { recursive: true });
  }
  return to;
}

/** A directory of an earlier version that holds nothing but its links: it goes with them. */
function isOursThroughout(prefix: Prefix, tool: string, path: string): boolean {
  if (!existsSync(join(prefix.root, path))) return false;
  if (!statOf(join(prefix.root, path))?.isDirectory()) return isLinkOf(prefix, tool, path);
  const names = namesIn(join(prefix.root, path)) ?? [];
  return names.length > 0 && names.every((name) => isOursThroughout(prefix, tool, join(path, name)));
}
