import { createRequire } from "node:module";

import type { Change } from "../../core/task.ts";
import type { Style } from "./style.ts";
import { visibleLine, visibleText } from "./visible-text.ts";

/** More lines than this say nothing to a reader; the log has them all. */
const longestDiff = 120;

/** One change: a line, or with `diff` and texts of several lines a unified diff. */
export function changeLines(
  change: Change,
  style: Style,
  options: { readonly diff: boolean; readonly longest?: number },
): readonly string[] {
  const { what, from, to } = change;
  if (!options.diff || (!isText(from) && !isText(to))) return [`${visibleLine(what)}: ${inWords(change)}`];
  return cut(unified(what, from, to), options.longest ?? longestDiff).map((line) => colour(line, style));
}

function inWords({ from, to }: Change): string {
  if (isText(from) || isText(to)) {
    if (from === undefined) return `new, ${lineCount(to)}`;
    if (to === undefined) return `removed, ${lineCount(from)}`;
    const lines = unified("", from, to);
    const added = lines.filter((line) => line.startsWith("+")).length - 1;
    const removed = lines.filter((line) => line.startsWith("-")).length - 1;
    return `${added} added, ${removed} removed lines`;
  }
  return `${value(from)} -> ${value(to)}`;
}

function isText(text: string | undefined): boolean {
  return text?.includes("\n") ?? false;
}

function value(text: string | undefined): string {
  return text === undefined ? "absent" : visibleLine(text, 80) || '""';
}

function lineCount(text: string | undefined): string {
  const count = (text ?? "").replace(/\n$/, "").split("\n").length;
  return count === 1 ? "1 line" : `${count} lines`;
}

function unified(what: string, from: string | undefined, to: string | undefined): readonly string[] {
  const name = visibleLine(what);
  // Loaded at the first difference: most runs find none.
  const { createTwoFilesPatch } = createRequire(import.meta.url)("diff") as typeof import("diff");
  const patch = createTwoFilesPatch(
    from === undefined ? "/dev/null" : name,
    to === undefined ? "/dev/null" : name,
    visibleText(from ?? ""),
    visibleText(to ?? ""),
    undefined,
    undefined,
    { context: 3 },
  );
  const lines = patch.replace(/\n$/, "").split("\n");
  // A ruler comes first, and with it sometimes the name once more.
  return lines.slice(lines.findIndex((line) => line.startsWith("--- ")));
}

function cut(lines: readonly string[], longest: number): readonly string[] {
  if (lines.length <= longest) return lines;
  return [...lines.slice(0, longest), `... ${lines.length - longest} more lines in the log`];
}

function colour(line: string, style: Style): string {
  if (line.startsWith("+++") || line.startsWith("---")) return style.bold(line);
  if (line.startsWith("@@")) return style.cyan(line);
  if (line.startsWith("+")) return style.green(line);
  if (line.startsWith("-")) return style.red(line);
  return line;
}
