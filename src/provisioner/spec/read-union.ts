import type { ErrorObject } from "ajv/dist/2020.js";

import { choiceWords } from "./condition-words.ts";
import { oneOf, pathOf, typeWords } from "./error-words.ts";
import type { Path } from "./read-yaml.ts";
import { orList, showValue } from "./show-value.ts";

/** One thing wrong with a value: where in it, and "must be …, is …". */
export interface Problem {
  readonly path: Path;
  /** Whether the key is wrong or what stands behind it. */
  readonly part: "key" | "value";
  readonly says: string;
}

interface Branch {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly errors: readonly ErrorObject[];
}

/**
 * What is wrong with a value that fits no branch of a union, as one complaint of the branch that was meant:
 * the reader wrote one form, and does not want to hear of the others.
 */
export function readUnion(
  union: ErrorObject,
  within: readonly ErrorObject[],
  read: (errors: readonly ErrorObject[]) => readonly Problem[],
): readonly Problem[] {
  const path = pathOf(union);
  const value = (says: string): readonly Problem[] => [
    { path, part: "value", says: `${says}, is ${showValue(union.data)}` },
  ];
  const branches = (union.schema as readonly Branch["schema"][]).map((schema, index) => ({
    schema,
    errors: within.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/${index}/`)),
  }));
  if (branches.filter(({ errors }) => errors.length === 0).length > 1) return fitsSeveral(union, branches);
  const conditions = choiceWords(branches.map(({ schema }) => schema));
  if (conditions !== undefined) {
    const has = Object.keys((union.data as object | null) ?? {}).map(inQuotes);
    return [{ path, part: "key", says: `must have ${conditions}, has ${has.join(", ") || "nothing"}` }];
  }
  const typed = branches.filter(({ errors }) => !errors.some((error) => isOwn(error, union, "type")));
  if (typed.length === 0) return value(`must be ${orList(unionWords(branches))}`);
  const literals = typed.flatMap(literalsOf);
  const onlyLiterals = typed.every((branch) => literalsOf(branch).length > 0);
  if (onlyLiterals) return value(oneOf([...new Set(literals)], union.data));
  const missing = missingKeys(typed, union);
  if (missing.length > 1) {
    const has = Object.keys(union.data as object).map(inQuotes);
    const says = `must have ${orList(missing.map(inQuotes))}, has ${has.join(", ") || "nothing"}`;
    return [{ path, part: "key", says }];
  }
  return read(meant(typed, union).errors);
}

/** Forms that differ by the key they must have, or by more than that. */
function fitsSeveral(union: ErrorObject, branches: readonly Branch[]): readonly Problem[] {
  const keys = branches.flatMap(({ schema }) => (schema["required"] as readonly string[] | undefined) ?? []);
  const has = Object.keys((union.data as object | null) ?? {}).filter((key) => keys.includes(key));
  const says =
    has.length > 1
      ? `must have only one of ${orList(keys.map(inQuotes))}, has ${has.map(inQuotes).join(" and ")}`
      : "must fit one of the forms it can have, fits several";
  return [{ path: pathOf(union), part: "key", says }];
}

function isOwn(error: ErrorObject, union: ErrorObject, keyword: string): boolean {
  return error.keyword === keyword && error.instancePath === union.instancePath;
}

function unionWords(branches: readonly Branch[]): readonly string[] {
  return [...new Set(branches.map(({ schema }) => typeWords(schema["type"])))];
}

function literalsOf({ schema }: Branch): readonly unknown[] {
  if ("const" in schema) return [schema["const"]];
  return (schema["enum"] as readonly unknown[] | undefined) ?? [];
}

/** When nothing is wrong in any form but a key it must have, the reader has to choose one of those keys. */
function missingKeys(branches: readonly Branch[], union: ErrorObject): readonly string[] {
  const only = branches.every(({ errors }) => errors.every((error) => isOwn(error, union, "required")));
  if (!only) return [];
  return [
    ...new Set(
      branches.flatMap(({ errors }) =>
        errors.map(({ params }) => String((params as Record<string, unknown>)["missingProperty"])),
      ),
    ),
  ];
}

/** The form with most of the value's keys; of those, the one with the least wrong. */
function meant(branches: readonly Branch[], union: ErrorObject): Branch {
  const given = typeof union.data === "object" && union.data !== null ? Object.keys(union.data) : [];
  const rank = ({ schema, errors }: Branch): number => {
    const known = Object.keys((schema["properties"] as object | undefined) ?? {});
    const wrongKind = errors.filter(({ keyword }) => keyword === "const").length;
    return given.filter((key) => known.includes(key)).length * 100 - wrongKind * 50 - errors.length;
  };
  return branches.reduce((best, branch) => (rank(branch) > rank(best) ? branch : best));
}

function inQuotes(key: string): string {
  return `"${key}"`;
}
