import type { ArtifactFormat } from "../core/tool-pin.ts";

/** Endings that mean an archive. Any other is part of a program's name: `shfmt_v3.10.0_linux_amd64`. */
const endings: readonly (readonly [ending: string, format: ArtifactFormat])[] = [
  [".tar.gz", "tar.gz"],
  [".tgz", "tar.gz"],
  [".tar.xz", "tar.xz"],
  [".txz", "tar.xz"],
  [".tar.zst", "tar.zst"],
  [".tzst", "tar.zst"],
  [".tar", "tar"],
  [".zip", "zip"],
];

/** How a file of this name is packed. */
export function formatOf(name: string): ArtifactFormat {
  return endings.find(([ending]) => name.endsWith(ending))?.[1] ?? "raw";
}

/** A file's name without the ending of its format. */
export function stemOf({ name, format }: { readonly name: string; readonly format: ArtifactFormat }): string {
  const ending = endings.find(([each, its]) => its === format && name.endsWith(each))?.[0] ?? "";
  return name.slice(0, name.length - ending.length);
}
