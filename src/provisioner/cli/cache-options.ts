import { resolve } from "node:path";

import { baseSettings } from "../image/base-settings.ts";
import type { CacheOptions } from "../pins/artifact-cache.ts";
import { fetchFor } from "../pins/http.ts";
import type { Manifest } from "../pins/manifest.ts";
import type { Shell } from "./shell.ts";

/** Flags of commands that take files from somewhere. */
export interface SourceFlags {
  readonly offline?: boolean | undefined;
  readonly from?: string | undefined;
}

/** Where pinned files come from, by environment, flags and versions.yaml. */
export function cacheOptions(
  shell: Pick<Shell, "env" | "home" | "isRoot" | "cwd">,
  { offline, from }: SourceFlags,
  manifest: Pick<Manifest, "mirrors">,
): Omit<CacheOptions, "run"> {
  const { cacheDir, mirrors } = baseSettings(shell);
  return {
    cacheDir,
    mirrors: [...mirrors, ...(manifest.mirrors ?? [])],
    fetch: fetchFor(shell.env),
    offline,
    from: from === undefined ? undefined : resolve(shell.cwd, from),
  };
}
