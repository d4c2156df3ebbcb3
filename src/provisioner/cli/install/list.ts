import { findInstalled, installedNames, versionOf } from "../../tools/installed-tool.ts";
import { runSession } from "../session.ts";
import type { Shell } from "../shell.ts";
import { table } from "../table.ts";
import type { InstallFlags } from "./flags.ts";
import { makePlan } from "./plan.ts";
import { installedVersion, stateWords } from "./state-words.ts";

/** Shows what is pinned and what is installed; changes nothing. */
export function listTools(shell: Shell, flags: InstallFlags, names: readonly string[]): Promise<number> {
  return runSession({ shell, flags, command: "install --list", quiet: true }, async ({ result }) => {
    const { prefix, tools, skipped, manifest } = await makePlan(shell, flags, names);
    const pinned = tools.map(({ pin: { name, version, license }, state }) => ({
      name,
      pinned: version,
      installed: installedVersion(state, version),
      state: stateWords(state, version),
      license,
    }));
    const others = skipped.map((name) => ({
      name,
      pinned: manifest.tools?.[name]?.version,
      installed: undefined,
      state: "not for this machine",
      license: manifest.tools?.[name]?.license,
    }));
    const unpinned = names.length > 0 ? [] : unpinnedTools(prefix, Object.keys(manifest.tools ?? {}));
    const all = [...pinned, ...others, ...unpinned].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    );
    const rows = all.map(({ name, pinned: version = "-", installed = "-", state, license = "-" }) => [
      name,
      version,
      installed,
      state,
      license,
    ]);
    result(table(["TOOL", "PINNED", "INSTALLED", "STATE", "LICENSE"], rows), {
      prefix: prefix.root,
      tools: all,
    });
    return "as-wanted";
  });
}

/** Tools that are installed and that versions.yaml does not name any more. */
function unpinnedTools(prefix: Parameters<typeof findInstalled>[0], known: readonly string[]) {
  return installedNames(prefix)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const { current } = findInstalled(prefix, name) ?? {};
      const installed = current === undefined ? undefined : versionOf(current);
      return { name, pinned: undefined, installed, state: "not pinned", license: undefined };
    });
}
