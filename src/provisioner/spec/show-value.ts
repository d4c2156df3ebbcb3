import type { Path } from "./read-yaml.ts";

/** A value of a spec in a few words: `"text"`, `5`, `a list`. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value !== "string") return `${value as number | boolean}`;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}

/** A path as people write it: `tasks[3].sysctl.key`. */
export function showPath(path: Path): string {
  const text = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    return /^[A-Za-z_][\w-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return text.join("").replace(/^\./, "") || "the file";
}

/** Words as a sentence has them: `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
