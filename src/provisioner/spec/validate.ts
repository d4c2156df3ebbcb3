import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";
import type { TSchema } from "typebox";

import type { Complaint } from "../core/errors.ts";
import type { Formats } from "./formats.ts";
import type { Path, YamlFile } from "./read-yaml.ts";
import { showPath } from "./show-value.ts";
import { readErrors } from "./read-errors.ts";
import type { Problem } from "./read-union.ts";

/** Holds a value against a schema; `at` is where the value stands in its file. */
export type Check = (value: unknown, schema: TSchema, at: Path) => readonly Problem[];

/** Formats a schema may name; one that the caller says nothing about accepts every text. */
const knownFormats = ["base", "source", "template"] as const;

/** Makes a check that remembers the schemas it has compiled. */
export function createCheck(formats: Formats = {}): Check {
  const ajv = new Ajv2020({
    strict: true,
    // Unions name a key as required that their other half describes.
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    verbose: true,
  });
  for (const name of new Set([...knownFormats, ...Object.keys(formats)])) {
    ajv.addFormat(name, { type: "string", validate: (value) => formats[name]?.(value) === undefined });
  }
  const compiled = new WeakMap<TSchema, ValidateFunction>();
  return (value, schema, at) => {
    let validate = compiled.get(schema);
    if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)));
    if (validate(value)) return [];
    return readErrors(validate.errors ?? [], formats).map((problem) => ({
      ...problem,
      path: [...at, ...problem.path],
    }));
  };
}

/** Puts problems at their line and column. */
export function complain(file: YamlFile, problems: readonly Problem[]): Complaint[] {
  return problems.map(({ path, part, says }) => ({
    where: file.where(path, part),
    what: `Cannot accept ${showPath(path)}: ${says}`,
  }));
}
