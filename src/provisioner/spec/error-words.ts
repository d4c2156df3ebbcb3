import type { ErrorObject } from "ajv/dist/2020.js";

import { absolutePath, accountName, dnsNamePattern, macPattern } from "../core/patterns.ts";
import { gpuPattern } from "./host-patterns.ts";
import { nearestName } from "./nearest-name.ts";
import { publicKeyPattern } from "./public-key.ts";
import type { Path } from "./read-yaml.ts";
import { orList, showValue } from "./show-value.ts";

/** The path of an error's value. */
export function pathOf(error: ErrorObject): Path {
  return error.instancePath
    .split("/")
    .slice(1)
    .map((step) => {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      return /^\d+$/.test(key) ? Number(key) : key;
    });
}

/** One of a few values, with the nearest named first when the given one looks like a slip. */
export function oneOf(allowed: readonly unknown[], given: unknown): string {
  const nearest = typeof given === "string" ? nearestName(given, allowed.map(String)) : undefined;
  const list = orList(allowed.map(showValue));
  return nearest === undefined ? `must be ${list}` : `must be ${list} (nearest: ${showValue(nearest)})`;
}

/** The types a schema's `type` names, in words. */
export function typeWords(type: unknown): string {
  const types = Array.isArray(type) ? type : [type];
  return orList(types.map((name) => words[String(name)] ?? String(name)));
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  null: "empty",
};

/** YAML reads 0644 and yes as no text; who meant text has to say so. */
export function quoteHint(error: ErrorObject): string {
  const wantsText = Array.isArray(error.schema) ? error.schema.includes("string") : error.schema === "string";
  const scalar = typeof error.data === "number" || typeof error.data === "boolean";
  return wantsText && scalar ? " (in quotes)" : "";
}

/** Patterns that have a shorter name than themselves. */
const patternWords: ReadonlyMap<string, string> = new Map([
  [absolutePath, "must be a path from the root, without dots or slashes to spare (/etc/hosts)"],
  [accountName, "must be the name of a user or a group, not a number"],
  ["^[0-7]{4}$", 'must be four octal digits ("0644")'],
  [publicKeyPattern, 'must be "agent", a mapping with `file`, or a public key on one line (ssh-ed25519 …)'],
  [dnsNamePattern, "must be a name for DNS, in lower case (example.org)"],
  [macPattern, "must be a hardware address of one card (52:54:00:12:34:56), in lower case"],
  [gpuPattern, "must be a PCI address as `lspci -D` has it (0000:01:00.0)"],
]);

/** What a bound on a value asks for. */
export function bound({ keyword, message }: ErrorObject, params: Readonly<Record<string, unknown>>): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "minLength":
      return limit === "1" ? "must not be empty" : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
    case "minProperties":
      return limit === "1" ? "must not be empty" : `must have at least ${limit} entries`;
    case "maxItems":
    case "maxProperties":
      return `must have at most ${limit} entries`;
    case "minimum":
      return `must be ${limit} or more`;
    case "maximum":
      return `must be ${limit} or less`;
    case "pattern":
      return patternWords.get(String(params["pattern"])) ?? `must match ${String(params["pattern"])}`;
    case "uniqueItems":
      return `must hold each entry once (${String(params["i"])} and ${String(params["j"])} are the same)`;
    default:
      return message ?? `must pass ${keyword}`;
  }
}
