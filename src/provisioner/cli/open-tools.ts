import type { Sources } from "../core/sources.ts";
import type { Manifest } from "../pins/manifest.ts";
import type { DirectFlags } from "./command.ts";
import type { Shell } from "./shell.ts";

type ToolSources = Pick<Sources, "tool" | "driver" | "obtain">;

/** What a spec can name of versions.yaml: tools and drivers, by versions.yaml and this machine's cache. */
export function openTools(
  shell: Shell,
  manifest: () => Manifest,
  { direct = false }: DirectFlags,
): ToolSources {
  let opened: Promise<ToolSources> | undefined;
  // Loaded when the first is asked for: most specs name none.
  const open = () => (opened ??= load(shell, manifest, direct));
  return {
    tool: async (name) => (await open()).tool(name),
    driver: async (name) => (await open()).driver(name),
    obtain: async (action, run) => (await open()).obtain(action, run),
  };
}

async function load(shell: Shell, manifest: () => Manifest, direct: boolean): Promise<ToolSources> {
  const [{ toolSources }, { cacheOptions }] = await Promise.all([
    import("../tools/tool-sources.ts"),
    import("./cache-options.ts"),
  ]);
  return toolSources({ manifest, cache: (pins) => cacheOptions(shell, {}, pins), direct });
}
