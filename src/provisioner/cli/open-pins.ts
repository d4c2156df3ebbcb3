import type { PinSources, Sources } from "../core/sources.ts";
import type { Manifest } from "../pins/manifest.ts";
import type { DirectFlags } from "./command.ts";
import type { Shell } from "./shell.ts";

/** The tools, drivers and repositories that a spec can name, by versions.yaml and this machine's cache. */
export function openPins(
  shell: Shell,
  manifest: () => Manifest,
  { direct = false }: DirectFlags,
): PinSources {
  let opened: Promise<Pick<Sources, "tool" | "obtain">> | undefined;
  // Each is loaded when the first of its kind is asked for: most specs name none.
  const open = () => (opened ??= loadTools(shell, manifest, direct));
  return {
    tool: async (name) => (await open()).tool(name),
    obtain: async (action, run) => (await open()).obtain(action, run),
    async driver(name) {
      const { pinnedDriver } = await import("../pins/pinned-driver.ts");
      return pinnedDriver(name, manifest());
    },
    async repository(name) {
      const { pinnedRepository } = await import("../pins/pinned-repository.ts");
      return pinnedRepository(name, manifest());
    },
    // Always by way of this machine: nothing may reach the target before the key is known to be the right one.
    async obtainKey({ key, ...action }, run) {
      const [{ fetchKey }, { cacheOptions }] = await Promise.all([
        import("../pins/fetch-key.ts"),
        import("./cache-options.ts"),
      ]);
      const text = await fetchKey(key, { ...cacheOptions(shell, {}, manifest()), run });
      return { ...action, kind: "write", text };
    },
  };
}

async function loadTools(
  shell: Shell,
  manifest: () => Manifest,
  direct: boolean,
): Promise<Pick<Sources, "tool" | "obtain">> {
  const [{ toolSources }, { cacheOptions }] = await Promise.all([
    import("../tools/tool-sources.ts"),
    import("./cache-options.ts"),
  ]);
  return toolSources({ manifest, cache: (pins) => cacheOptions(shell, {}, pins), direct });
}
