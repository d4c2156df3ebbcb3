import type { Path, YamlFile } from "./read-yaml.ts";

/**
 * Two files as one, which still knows where each part stands: mappings are merged, and all else, lists too, is as
 * the upper file has it.
 */
export function layerYaml(lower: YamlFile, upper: YamlFile): YamlFile {
  return {
    file: upper.file,
    value: merge(lower.value, upper.value),
    complaints: [...lower.complaints, ...upper.complaints],
    where: (path, part) => fileOf(path, lower, upper).where(path, part),
  };
}

function merge(lower: unknown, upper: unknown): unknown {
  if (!isMapping(lower) || !isMapping(upper)) return upper ?? lower;
  const keys = [...new Set([...Object.keys(lower), ...Object.keys(upper)])];
  return Object.fromEntries(
    keys.map((key) => [
      key,
      Object.hasOwn(lower, key) && Object.hasOwn(upper, key)
        ? merge(lower[key], upper[key])
        : (Object.hasOwn(upper, key) ? upper : lower)[key],
    ]),
  );
}

/** The file that the value at a path is taken from; for one that is nowhere, the file that comes nearest. */
function fileOf(path: Path, lower: YamlFile, upper: YamlFile): YamlFile {
  const above = reach(upper.value, path);
  if (above.steps === path.length || !above.isMapping) return upper;
  return reach(lower.value, path).steps > above.steps ? lower : upper;
}

/** How far a path leads, and whether it ends at a mapping, which the other file may have more of. */
function reach(value: unknown, path: Path): { readonly steps: number; readonly isMapping: boolean } {
  let here = value;
  for (const [steps, step] of path.entries()) {
    const within = isMapping(here) || Array.isArray(here) ? (here as Record<string | number, unknown>) : {};
    if (!Object.hasOwn(within, step)) return { steps, isMapping: isMapping(here) || isNothing(here) };
    here = within[step];
  }
  return { steps: path.length, isMapping: isMapping(here) };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}
