import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Everything under a directory, a line each: kind, mode, path, and the digest or target. */
export function listing(
  directory: string,
  leaveOut: (path: string) => boolean = () => false,
): readonly string[] {
  const lines: string[] = [];
  const walk = (inside: string): void => {
    for (const name of readdirSync(join(directory, inside)).toSorted()) {
      const path = join(inside, name);
      if (leaveOut(path)) continue;
      const full = join(directory, path);
      const stat = lstatSync(full);
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) lines.push(`link ${path} -> ${readlinkSync(full)}`);
      else if (stat.isDirectory()) {
        lines.push(`directory ${mode} ${path}`);
        walk(path);
      } else {
        const digest = createHash("sha256").update(readFileSync(full)).digest("hex");
        lines.push(`file ${mode} ${path} ${digest.slice(0, 12)}`);
      }
    }
  };
  walk("");
  return lines;
}
