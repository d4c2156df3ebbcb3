import pLimit from "p-limit";

import type { Sources } from "../core/sources.ts";
import type { CacheOptions } from "../pins/artifact-cache.ts";
import type { Manifest } from "../pins/manifest.ts";
import { placesOf } from "../pins/mirrors.ts";
import { downloadOrder } from "./download-script.ts";
import { pinnedTool } from "./pinned-tool.ts";

/** Where tools and their files come from. */
export interface ToolSourceOptions {
  /** Asked when the first tool is: most specs have none. */
  readonly manifest: () => Manifest;
  readonly cache: (manifest: Manifest) => Omit<CacheOptions, "run">;
  /** The target downloads by itself; nothing goes through this machine, so nothing is looked at here. */
  readonly direct: boolean;
}

/** More at once only share the same line. */
const DOWNLOADS = 4;

/** The tools of versions.yaml, for the reads of tasks and for the flights that carry their files. */
export function toolSources({
  manifest,
  cache,
  direct,
}: ToolSourceOptions): Pick<Sources, "tool" | "obtain"> {
  const limit = pLimit(DOWNLOADS);
  return {
    tool: async (name) => pinnedTool(name, manifest()),
    async obtain(action, run) {
      const { path, file, mode, owner, group } = action;
      const options = cache(manifest());
      if (direct) return downloadOrder(action, placesOf(file.url, options.mirrors));
      // With all that reads archives: a run that changes nothing has no use for it.
      const { vettedArtifact } = await import("./vetted-artifact.ts");
      const source = await limit(() => vettedArtifact(file, { ...options, run }));
      return { kind: "upload", path, source, mode, owner, group };
    },
  };
}
