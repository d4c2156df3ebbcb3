import type { ErrorObject } from "ajv/dist/2020.js";

import { nearestName } from "./nearest-name.ts";
import type { Path } from "./read-yaml.ts";
import { conditionWords } from "./condition-words.ts";
import { bound, oneOf, pathOf, quoteHint, typeWords } from "./error-words.ts";
import type { Formats } from "./formats.ts";
import { readUnion } from "./read-union.ts";
import type { Problem } from "./read-union.ts";
import { orList, showValue } from "./show-value.ts";

/** Turns what ajv found into one problem for each thing that is wrong. */
export function readErrors(errors: readonly ErrorObject[], formats: Formats): readonly Problem[] {
  const union = errors.find(
    (error) => isUnion(error) && !errors.some((other) => isUnion(other) && inside(error, other)),
  );
  if (union !== undefined) {
    const within = errors.filter((error) => inside(error, union));
    const rest = errors.filter((error) => error !== union && !within.includes(error));
    return [...readUnion(union, within, (some) => readErrors(some, formats)), ...readErrors(rest, formats)];
  }
  // `if` and `propertyNames` only repeat that the errors beside them exist.
  return errors
    .filter(({ keyword }) => keyword !== "if" && keyword !== "propertyNames")
    .map((error) => readError(error, formats));
}

function isUnion(error: ErrorObject): boolean {
  return error.keyword === "anyOf" || error.keyword === "oneOf";
}

/** Whether an error belongs to a branch of a union, and to the same value: list items share a schema path. */
function inside(error: ErrorObject, union: ErrorObject): boolean {
  const sameValue =
    error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`);
  return error !== union && sameValue && error.schemaPath.startsWith(`${union.schemaPath}/`);
}

function readError(error: ErrorObject, formats: Formats): Problem {
  const path = pathOf(error);
  const value = (says: string): Problem => ({
    path,
    part: "value",
    says: `${says}, is ${showValue(error.data)}`,
  });
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties":
      return unknownKey(error, path);
    case "required":
      return {
        path,
        part: "key",
        says: `must have "${String(params["missingProperty"])}", has ${keys(error.data)}`,
      };
    case "dependencies":
    case "dependentRequired": {
      const says = `must have "${String(params["missingProperty"])}" beside "${String(params["property"])}"`;
      return { path, part: "key", says: `${says}, has ${keys(error.data)}` };
    }
    case "not": {
      const words = conditionWords(error.schema as Readonly<Record<string, unknown>>);
      return { path, part: "key", says: `must not have ${words ?? "this form"}, has ${keys(error.data)}` };
    }
    case "type":
      return value(`must be ${typeWords(error.schema)}${quoteHint(error)}`);
    case "const":
      return value(`must be ${showValue(params["allowedValue"])}`);
    case "enum":
      return value(oneOf(params["allowedValues"] as readonly unknown[], error.data));
    case "format": {
      const says = formats[String(error.schema)]?.(String(error.data));
      return says === undefined ? value(`must be a ${String(error.schema)}`) : { path, part: "value", says };
    }
    default:
      return value(bound(error, params));
  }
}

function unknownKey(error: ErrorObject, path: Path): Problem {
  const params = error.params as Record<string, unknown>;
  const key = String(params["additionalProperty"] ?? params["unevaluatedProperty"]);
  const known = Object.keys((error.parentSchema?.["properties"] as object | undefined) ?? {});
  const nearest = nearestName(key, known);
  const what =
    nearest === undefined ? `must be ${orList(known.map((name) => `"${name}"`))}` : `must be "${nearest}"`;
  return { path: [...path, key], part: "key", says: `${what}, is "${key}"` };
}

function keys(value: unknown): string {
  const names = Object.keys((value as object | null) ?? {});
  return names.length === 0 ? "nothing" : names.map((name) => `"${name}"`).join(", ");
}
