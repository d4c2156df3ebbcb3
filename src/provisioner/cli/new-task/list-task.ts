import { identifierOf } from "./skeleton.ts";

/** The text of src/tasks/index.ts with one more task in it; imports and list stay in their order. */
export function listTask(text: string, name: string): string {
  const id = identifierOf(name);
  const withImport = insertLine(text, {
    line: `import { ${id} } from "./${name}.ts";`,
    like: /^import \{ \w+ \} from "(\.\/[^"]+)";$/,
    key: `./${name}.ts`,
  });
  // The list is in the order of the names, which the lines do not show: camel case hides their hyphens.
  const names = new Map(
    [...withImport.matchAll(/^import \{ (\w+) \} from "\.\/([a-z-]+)/gm)].map(([, a, b]) => [a, b]),
  );
  return insertLine(withImport, {
    line: `  ${id},`,
    like: /^ {2}(\w+),$/,
    key: name,
    keyOf: (found) => names.get(found) ?? found,
  });
}

interface Insertion {
  readonly line: string;
  /** The lines among which it goes, with their keys. */
  readonly like: RegExp;
  readonly key: string;
  readonly keyOf?: (found: string) => string;
}

/** Before the first line of its kind that comes after it, else after the last. */
function insertLine(text: string, { line, like, key, keyOf = (found) => found }: Insertion): string {
  const lines = text.split("\n");
  const keys = lines.map((each) => like.exec(each)?.[1]).map((found) => found && keyOf(found));
  const next = keys.findIndex((found) => found !== undefined && found > key);
  const at = next >= 0 ? next : keys.findLastIndex((found) => found !== undefined) + 1;
  return lines.toSpliced(at, 0, line).join("\n");
}
