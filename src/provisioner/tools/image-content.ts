import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { ToolPin } from "../core/tool-pin.ts";
import { ownFiles } from "./prefix.ts";

/** A file of an image, and how to see later on that nobody wrote to it. */
export interface ImageFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** What an image of a prefix holds. Paths are relative to it. */
export interface ImageContent {
  readonly files: readonly ImageFile[];
  readonly symlinks: readonly string[];
  readonly directories: readonly string[];
}

/** Reads what is in an image. */
export function readImage(image: string): ImageContent {
  const content = {
    files: [] as ImageFile[],
    symlinks: [] as string[],
    directories: [] as string[],
  };
  const walk = (directory: string): void => {
    for (const entry of readdirSync(join(image, directory), { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        content.directories.push(path);
        walk(path);
      } else if (entry.isSymbolicLink()) content.symlinks.push(path);
      else {
        const { size, mtimeMs } = lstatSync(join(image, path));
        content.files.push({ path, size, mtimeMs: Math.floor(mtimeMs) });
      }
    }
  };
  walk("");
  return content;
}

/** Refuses an image with a link that leads nowhere or out of it: parts of an archive may have been left behind. */
export function checkLinks(
  { name: tool }: ToolPin,
  image: string,
  { symlinks }: Pick<ImageContent, "symlinks">,
): void {
  const root = realpathSync.native(image) + sep;
  for (const path of symlinks)
    if (!leadsInside(join(image, path), root)) throw new ProvisionError("TOOL_LINK_BROKEN", { tool, path });
}

/** Refuses an image that would have what is ours: a link there would stand for the store, or for a version's own lists. */
export function checkPlaces({ name: tool }: ToolPin, { files, symlinks }: ImageContent): void {
  const reserved = [...files.map(({ path }) => path), ...symlinks].find(
    (path) => path.startsWith("share/provision/") || ownFiles.has(path),
  );
  if (reserved !== undefined) throw new ProvisionError("TOOL_PLACE_RESERVED", { tool, path: reserved });
}

/** The links that an image wants in the prefix: one for each file, but a tree in a directory of its own gets one. */
export function wantedLinks({ artifacts }: ToolPin, { files, symlinks }: ImageContent): readonly string[] {
  const own = artifacts.flatMap(({ tree }) => (tree && tree.to !== "" ? [tree.to] : []));
  const links = [...files.map(({ path }) => path), ...symlinks].map(
    (path) => own.find((to) => path.startsWith(`${to}/`)) ?? path,
  );
  return [...new Set(links)].toSorted();
}

function leadsInside(path: string, root: string): boolean {
  try {
    // The native one: the other resolves ".." before links.
    return realpathSync.native(path).startsWith(root);
  } catch {
    return false;
  }
}
