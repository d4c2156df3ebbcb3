import { ProvisionError } from "../core/errors.ts";
import type { Architecture, ToolArtifact, ToolPin } from "../core/tool-pin.ts";
import type { Manifest } from "../pins/manifest.ts";
import { resolveTool } from "../pins/resolve-tool.ts";
import { nearestName } from "../spec/nearest-name.ts";

/** Tools of versions.yaml for one machine. */
export interface Selection {
  readonly pins: readonly ToolPin[];
  /** Pinned, but not for this machine's architecture. */
  readonly skipped: readonly string[];
}

/** All tools for one user, or with `system` for a whole machine. */
export function selectAll(
  { tools = {} }: Pick<Manifest, "tools">,
  { system, architecture }: { readonly system: boolean; readonly architecture: Architecture },
): Selection {
  const entries = Object.entries(tools).filter(([, entry]) => system || !entry.system);
  const found = entries.map(([name, entry]) => ({ name, pin: resolveTool(name, entry, architecture) }));
  return {
    pins: found.flatMap(({ pin }) => pin ?? []),
    skipped: found.filter(({ pin }) => pin === undefined).map(({ name }) => name),
  };
}

/** The tools of these names; one that cannot be had is an error. */
export function selectNamed(
  { tools = {} }: Pick<Manifest, "tools">,
  names: readonly string[],
  { system, architecture }: { readonly system: boolean; readonly architecture: Architecture },
): Selection {
  const pins = [...new Set(names)].map((name) => {
    const entry = Object.hasOwn(tools, name) ? tools[name] : undefined;
    if (entry === undefined) throw unknownTool(name, Object.keys(tools), "install");
    if (entry.system && !system)
      throw new ProvisionError("USAGE", {
        what: `Cannot install "${name}" for one user: it is a tool of the whole machine`,
        mend: `Add --system, as root, for /usr/local; or --system --prefix DIR for another place`,
      });
    const pin = resolveTool(name, entry, architecture);
    if (pin === undefined)
      throw new ProvisionError("USAGE", {
        what: `Cannot install "${name}" here: versions.yaml must have a digest for ${architecture}, has none`,
        mend: `Add the digest of its ${architecture} file under tools.${name}.sha256 in versions.yaml`,
      });
    return pin;
  });
  return { pins, skipped: [] };
}

/** A name that is none, with the one that may have been meant. */
export function unknownTool(name: string, known: readonly string[], verb: string): ProvisionError {
  const nearest = nearestName(name, known);
  return new ProvisionError("USAGE", {
    what: `Cannot ${verb} "${name}": no tool has this name`,
    mend:
      nearest === undefined
        ? "Name one that `provision install --list` shows"
        : `Name "${nearest}"; \`provision install --list\` shows every tool`,
  });
}

/** Refuses tools of one selection that want the same place: whichever came first would have it. */
export function refuseClashes(pins: readonly ToolPin[]): void {
  const owners = new Map<string, string>();
  for (const { name, artifacts } of pins) {
    for (const path of artifacts.flatMap(placesOf)) {
      const other = owners.get(path);
      if (other !== undefined && other !== name)
        throw new ProvisionError("TOOLS_CLASH", { path, one: other, other: name });
      owners.set(path, name);
    }
  }
}

/** What a pin alone says of the places that are taken: commands, and directories of trees. */
function placesOf({ binaries, tree }: ToolArtifact): readonly string[] {
  const directory = tree && tree.to !== "" ? [tree.to] : [];
  return [...binaries.map(({ command }) => `bin/${command}`), ...directory];
}
