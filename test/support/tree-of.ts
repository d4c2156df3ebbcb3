import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** All that is below a directory, a line each, sorted: "755 bin/tool sha256-prefix", "lib/x -> ../y". */
export function treeOf(directory: string, prefix = ""): string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true })
    .flatMap((found) => {
      const path = join(prefix, found.name);
      const place = join(directory, path);
      if (found.isSymbolicLink()) return [`${path} -> ${readlinkSync(place)}`];
      const mode = (statSync(place).mode & 0o7777).toString(8);
      if (found.isDirectory()) return [`${mode} ${path}/`, ...treeOf(directory, path)];
      return [
        `${mode} ${path} ${createHash("sha256").update(readFileSync(place)).digest("hex").slice(0, 12)}`,
      ];
    })
    .toSorted();
}
