import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from "yaml";
import type { Document, Node, Pair, YAMLError, YAMLMap } from "yaml";

import type { Complaint, Where } from "../core/errors.ts";

/** The way to a value inside a YAML file: keys and list indexes. */
export type Path = readonly (string | number)[];

/** A YAML text as a value that still knows where each part of it stands. */
export interface YamlFile {
  /** As shown to people. */
  readonly file: string;
  readonly value: unknown;
  /** What is wrong with it as YAML; `value` is then not to be used. */
  readonly complaints: readonly Complaint[];
  /** Where the value at `path` starts, or its key; the nearest thing around it when there is none. */
  where(path: Path, part?: "key" | "value"): Where;
}

/** Enough for any spec; a file of aliases to aliases is not worth the memory it would take. */
const mostAliases = 100;

/** Reads one YAML document. Never throws for what the text holds: see `complaints`. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const at = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const complaints: Complaint[] = [...document.errors, ...document.warnings].map((error) => ({
    where: at(error.pos[0]),
    what: say(error, text),
  }));
  complaints.push(...badNodes(document, at));
  let value: unknown;
  if (complaints.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: mostAliases });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      complaints.push({ where: at(0), what: `Cannot read YAML: ${error.message}` });
    }
  }
  return {
    file,
    value,
    complaints,
    where: (path, part = "value") => at(offsetOf(document, path, part)),
  };
}

/** Collections as keys would turn into text, and an alias without anchor into an exception. */
function badNodes(document: Document.Parsed, at: (offset: number) => Where): Complaint[] {
  const found: Complaint[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const what = `Cannot read YAML: alias "*${alias.source}" must follow its anchor "&${alias.source}", has none`;
      found.push({ where: at(start(alias)), what });
    },
    Pair(_, pair) {
      if (isScalar(pair.key) || pair.key === null) return;
      const what = `Cannot read YAML: a key must be text, is a ${isAlias(pair.key) ? "reference" : "collection"}`;
      found.push({ where: at(start(pair.key)), what });
    },
  });
  return found;
}

function say({ code, pos, message }: YAMLError, text: string): string {
  if (code === "DUPLICATE_KEY") {
    const key = /^[^\n:]*/.exec(text.slice(pos[0]))?.[0].trim() ?? "";
    return `Cannot read YAML: key "${key}" must be given once, is given again`;
  }
  if (code === "TAB_AS_INDENT") return "Cannot read YAML: indentation must be spaces, is a tab";
  if (code === "MULTIPLE_DOCS") return "Cannot read YAML: the file must hold one document, holds more";
  return `Cannot read YAML: ${lowerFirst(message)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function offsetOf(document: Document.Parsed, path: Path, part: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = start(node);
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = pairOf(node, step);
      if (pair === undefined) return offset;
      const last = index === path.length - 1;
      // A key without a value has no node of its own: the key is the nearest place.
      offset = last && part === "value" && hasRange(pair.value) ? start(pair.value) : start(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === "number") {
      node = node.items[step];
      if (!hasRange(node)) return offset;
      offset = start(node);
    } else return offset;
  }
  return offset;
}

function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  return map.items.find((pair) => (isScalar(pair.key) ? String(pair.key.value) : undefined) === String(key));
}

function hasRange(node: unknown): node is Node {
  return start(node, -1) >= 0;
}

function start(node: unknown, otherwise = 0): number {
  const range = (node as Partial<Node> | null | undefined)?.range;
  return range ? range[0] : otherwise;
}
