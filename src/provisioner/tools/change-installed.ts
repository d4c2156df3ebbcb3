import { rm } from "node:fs/promises";
import { renameSync } from "node:fs";

import { ProvisionError } from "../core/errors.ts";
import { type InstalledTool, versionOf } from "./installed-tool.ts";
import { readLinks } from "./inspect-tool.ts";
import { removeLink } from "./links.ts";
import { refuseObstacles } from "./obstacles.ts";
import { incomingPath, type Prefix } from "./prefix.ts";
import { switchVersion } from "./switch-version.ts";

/** Removes a tool: its links, then all of its versions at one blow. The lock is held. */
export async function uninstallTool(prefix: Prefix, installed: InstalledTool): Promise<void> {
  const links = new Set(installed.ids.flatMap((id) => readLinks(installed, id)));
  for (const path of links) removeLink(prefix, installed.name, path);
  const gone = incomingPath(prefix);
  renameSync(installed.directory, gone);
  await rm(gone, { recursive: true });
}

/** Goes back to the version before, or forth again. The lock is held. */
export function rollBack(
  prefix: Prefix,
  installed: InstalledTool,
): { readonly from: string; readonly to: string } {
  const { name, current = "", previous } = installed;
  if (previous === undefined)
    throw new ProvisionError("TOOL_NO_PREVIOUS", { tool: name, version: versionOf(current) });
  refuseObstacles(prefix, name, readLinks(installed, previous));
  switchVersion(prefix, name, previous);
  return { from: versionOf(current), to: versionOf(previous) };
}
