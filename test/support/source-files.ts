import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** A TypeScript file of the project. */
export interface SourceFile {
  /** From the root: src/provisioner/core/task.ts */
  readonly path: string;
  readonly text: string;
  /** Everything it imports: ours by path from the root, others as written. */
  readonly imports: readonly string[];
}

/** The project's root. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every TypeScript file below a folder of the project. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => {
      const path = join(folder, file);
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

/** Finds `from "…"`, `import "…"` and `import("…")`, also over several lines; comments are left out. */
export function importsOf(path: string, text: string): readonly string[] {
  const code = text.replaceAll(/^\s*(\/\/.*|\/\*\*?[\s\S]*?\*\/)/gm, "");
  const found = code.matchAll(
    /^(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm,
  );
  return [...found].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? "";
    return name.startsWith(".") ? normalize(join(dirname(path), name)) : name;
  });
}
