import { renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

import { findInstalled, type InstalledTool } from "./installed-tool.ts";
import { readLinks, unwantedLinks } from "./inspect-tool.ts";
import { putLink, removeLink } from "./links.ts";
import { makeDirectories, pruneDirectories } from "./made-directories.ts";
import { findObstacles, moveAside } from "./obstacles.ts";
import { incomingPath, type Prefix } from "./prefix.ts";

/**
 * Brings a version that is whole into use. One rename changes what every link leads to; links that come or go with
 * it are set after that, so no command that both versions have is missing for a moment. Killed anywhere, the same
 * call again ends it. Gives where files of others were put: who calls has looked for them.
 */
export function switchVersion(prefix: Prefix, tool: string, id: string): readonly string[] {
  const before = mustFind(prefix, tool);
  // First: killed between the two, the next run finds the very same to do.
  if (before.current !== undefined && before.current !== id)
    point(prefix, before, "previous", before.current);
  point(prefix, before, "current", id);
  const installed = mustFind(prefix, tool);
  for (const path of unwantedLinks(prefix, installed, id)) removeLink(prefix, tool, path);
  pruneDirectories(prefix);
  const links = readLinks(installed, id);
  const replaced = findObstacles(prefix, tool, links).map((path) => moveAside(prefix, path));
  makeDirectories(prefix, links.map(dirname));
  for (const path of links) putLink(prefix, tool, path);
  for (const each of installed.ids) {
    if (each !== id && each !== installed.previous) discard(prefix, join(installed.directory, each));
  }
  return replaced;
}

/** Removes a directory of the store at one blow: half of one would look whole. */
export function discard(prefix: Prefix, path: string): void {
  const gone = incomingPath(prefix);
  renameSync(path, gone);
  rmSync(gone, { recursive: true });
}

function point(prefix: Prefix, { directory }: InstalledTool, name: string, id: string): void {
  const partial = incomingPath(prefix);
  symlinkSync(id, partial);
  renameSync(partial, join(directory, name));
}

function mustFind(prefix: Prefix, tool: string): InstalledTool {
  const installed = findInstalled(prefix, tool);
  if (installed === undefined) throw new Error(`Nothing of ${tool} is in ${prefix.store}`);
  return installed;
}
