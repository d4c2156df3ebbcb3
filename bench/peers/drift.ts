import type { Item } from "../items.ts";

/** How many items `driftScript` takes from what is wanted. */
export const driftCount = 3;

/** Spoils a file's text, a directory's mode and where a link leads. */
export function driftScript(items: readonly Item[]): string {
  const file = items.find((item) => item.kind === "file");
  const directory = items.find((item) => item.kind === "directory" && item.path.startsWith("/srv/"));
  const link = items.findLast((item) => item.kind === "symlink");
  if (file?.kind !== "file" || directory?.kind !== "directory" || link?.kind !== "symlink")
    throw new Error("There is nothing to spoil");
  return `echo spoiled >>${file.path}; chmod 0711 ${directory.path}; ln -sfn elsewhere ${link.path}`;
}
