import type { Architecture } from "../core/tool-pin.ts";
import { architecturesOf, resolveTool } from "../pins/resolve-tool.ts";
import type { ToolEntry } from "../pins/tool-entry.ts";

/** A file that a version of a tool consists of, and where its digest is pinned. */
export interface WantedFile {
  readonly name: string;
  readonly url: string;
  /** The digest that is pinned for it, or was for the version before. */
  readonly sha256: string;
  readonly architecture: Architecture;
  /** Whether it lies in a release of the tool's repository. */
  readonly released: boolean;
  /** The way to its digest in the entry. */
  readonly path: readonly (string | number)[];
}

/** Every file of a tool at its entry's version, of each architecture and each part. */
export function wantedFiles(name: string, entry: ToolEntry): readonly WantedFile[] {
  const pieces = [entry, ...(entry.parts ?? [])];
  return architecturesOf(entry).flatMap((architecture) => {
    const artifacts = resolveTool(name, entry, architecture)?.artifacts ?? [];
    return artifacts.map(({ name: file, url, sha256 }, index) => {
      const piece = pieces[index];
      const at = index === 0 ? ["sha256"] : ["parts", index - 1, "sha256"];
      return {
        name: file,
        url,
        sha256,
        architecture,
        released: piece?.artifact !== undefined,
        path: typeof piece?.sha256 === "string" ? at : [...at, architecture],
      };
    });
  });
}
