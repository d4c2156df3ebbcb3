import { join } from "node:path";

import { rollBack, uninstallTool } from "../../tools/change-installed.ts";
import { findInstalled, installedNames, type InstalledTool, versionOf } from "../../tools/installed-tool.ts";
import { readLinks } from "../../tools/inspect-tool.ts";
import { replacedDirectory } from "../../tools/made-directories.ts";
import { statOf } from "../../tools/path-facts.ts";
import { leftovers, type Prefix, prefixAt } from "../../tools/prefix.ts";
import { unknownTool } from "../../tools/select-tools.ts";
import { workInPrefix } from "../../tools/work-in-prefix.ts";
import { loadManifest } from "../compose.ts";
import { runSession } from "../session.ts";
import type { Shell } from "../shell.ts";
import type { InstallFlags } from "./flags.ts";
import { prefixRoot } from "./words.ts";

/** Removes tools with everything that they brought. */
export function removeTools(shell: Shell, flags: InstallFlags, names: readonly string[]): Promise<number> {
  const command = `install --uninstall ${names.join(" ")}`;
  return runSession({ shell, flags, command }, async ({ run, result }) => {
    const prefix = prefixAt(prefixRoot(flags, shell));
    const lines: string[] = [];
    const found = names.filter((name) => findInstalled(prefix, name) !== undefined);
    await refuseUnknown(
      shell,
      prefix,
      names.filter((name) => !found.includes(name)),
    );
    const work = async () => {
      for (const name of found) {
        const installed = findInstalled(prefix, name);
        if (installed === undefined) continue;
        for (const path of keptOf(prefix, installed))
          run.note(`${name}: what --force once put aside stays as ${path}`, "warning");
        await uninstallTool(prefix, installed);
        const { current } = installed;
        lines.push(`${name}${current === undefined ? "" : ` ${versionOf(current)}`} is removed`);
      }
    };
    if (found.length > 0 || leftovers(prefix).length > 0) await workInPrefix(prefix, run, work);
    for (const name of names.filter((each) => !found.includes(each))) lines.push(`${name} is not installed`);
    result(lines.join("\n"), { prefix: prefix.root, removed: found });
    return "as-wanted";
  });
}

/** Goes back to the versions before. */
export function rollBackTools(shell: Shell, flags: InstallFlags, names: readonly string[]): Promise<number> {
  const command = `install --rollback ${names.join(" ")}`;
  return runSession({ shell, flags, command }, async ({ run, result }) => {
    const prefix = prefixAt(prefixRoot(flags, shell));
    for (const name of names)
      if (findInstalled(prefix, name) === undefined)
        throw unknownTool(name, installedNames(prefix), "roll back");
    const tools = await workInPrefix(prefix, run, async () =>
      names.flatMap((name) => {
        const installed = findInstalled(prefix, name);
        return installed === undefined ? [] : [{ name, ...rollBack(prefix, installed) }];
      }),
    );
    const lines = tools.map(({ name, from, to }) => `${name}: ${from} -> ${to}`);
    result(lines.join("\n"), { prefix: prefix.root, tools });
    return "as-wanted";
  });
}

/** A name that is neither installed nor pinned is a slip. */
async function refuseUnknown(shell: Shell, prefix: Prefix, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const known = [...installedNames(prefix), ...Object.keys((await loadManifest(shell)).tools ?? {})];
  for (const name of names) if (!known.includes(name)) throw unknownTool(name, known, "uninstall");
}

/** Files of others that stood where the tool has its links. */
function keptOf(prefix: Prefix, installed: InstalledTool): readonly string[] {
  const links = new Set(installed.ids.flatMap((id) => readLinks(installed, id)));
  return [...links].map((path) => join(replacedDirectory(prefix), path)).filter((path) => statOf(path));
}
