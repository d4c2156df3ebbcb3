import { existsSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";

import { readImage } from "./image-content.ts";
import { makeOpenDirectory } from "./made-directories.ts";
import { statOf } from "./path-facts.ts";
import type { Prefix } from "./prefix.ts";
import type { StagedTool } from "./stage-tool.ts";
import { discard } from "./switch-version.ts";

/** Puts a staged version into the store, where it is whole or not there at all. */
export function placeVersion(prefix: Prefix, { pin, image }: StagedTool): void {
  const directory = join(prefix.store, pin.name, pin.id);
  makeOpenDirectory(dirname(directory));
  if (existsSync(directory)) repair(prefix, image, directory);
  else renameSync(image, directory);
}

/**
 * Renews a version that is in use, file by file: a directory in the place of another would leave its commands
 * missing for a moment. It is the same version, so what is old and what is new of it fit together.
 */
function repair(prefix: Prefix, image: string, directory: string): void {
  // With our own lists, which were written after the content was read.
  const { directories, files, symlinks } = readImage(image);
  for (const path of directories) {
    const isThere = statOf(join(directory, path))?.isDirectory() ?? false;
    if (!isThere && statOf(join(directory, path))) discard(prefix, join(directory, path));
    makeOpenDirectory(join(directory, path));
  }
  const paths = [...files.map(({ path }) => path), ...symlinks];
  for (const path of paths) {
    if (statOf(join(directory, path))?.isDirectory()) discard(prefix, join(directory, path));
    renameSync(join(image, path), join(directory, path));
  }
  removeOthers(prefix, directory, new Set([...paths, ...directories]));
}

function removeOthers(prefix: Prefix, directory: string, wanted: ReadonlySet<string>): void {
  const found = readImage(directory);
  for (const path of [...found.files.map((file) => file.path), ...found.symlinks, ...found.directories]) {
    if (!wanted.has(path) && statOf(join(directory, path))) discard(prefix, join(directory, path));
  }
}
