import type { Sources } from "../core/sources.ts";
import type { Manifest } from "../pins/manifest.ts";
import { toolSources } from "../tools/tool-sources.ts";
import { cacheOptions } from "./cache-options.ts";
import type { DirectFlags } from "./command.ts";
import type { Shell } from "./shell.ts";

/** The tools that a spec can name, by versions.yaml and this machine's cache. */
export function openTools(
  shell: Shell,
  manifest: () => Manifest,
  { direct = false }: DirectFlags,
): Pick<Sources, "tool" | "obtain"> {
  return toolSources({ manifest, cache: (pins) => cacheOptions(shell, {}, pins), direct });
}
