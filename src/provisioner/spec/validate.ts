import { createRequire } from "node:module";

import type { Ajv2020, ValidateFunction } from "ajv/dist/2020.js";
import type { TSchema } from "typebox";

import type { Complaint } from "../core/errors.ts";
import { fits } from "./fits.ts";
import type { Formats } from "./formats.ts";
import type { Path, YamlFile } from "./read-yaml.ts";
import { showPath } from "./show-value.ts";
import { readErrors } from "./read-errors.ts";
import type { Problem } from "./read-union.ts";

/** Holds a value against a schema; `at` is where the value stands in its file. */
export type Check = (value: unknown, schema: TSchema, at: Path) => readonly Problem[];

/** Formats a schema may name; one that the caller says nothing about accepts every text. */
const knownFormats = ["base", "source", "template", "tool", "repository", "image", "key-file"] as const;

/** Makes a check that remembers the schemas it has compiled. */
export function createCheck(formats: Formats = {}): Check {
  const all = { ...Object.fromEntries(knownFormats.map((name) => [name, () => undefined])), ...formats };
  const compiled = new WeakMap<TSchema, ValidateFunction>();
  let ajv: Ajv2020 | undefined;
  return (value, schema, at) => {
    if (fits(value, schema, all)) return [];
    let validate = compiled.get(schema);
    if (validate === undefined) {
      ajv ??= createAjv(all);
      compiled.set(schema, (validate = ajv.compile(schema)));
    }
    if (validate(value)) return [];
    return readErrors(validate.errors ?? [], formats).map((problem) => ({
      ...problem,
      path: [...at, ...problem.path],
    }));
  };
}

function createAjv(formats: Formats): Ajv2020 {
  // Loaded at the first value that does not fit; see `fits`.
  const load = createRequire(import.meta.url);
  const { Ajv2020: Ajv } = load("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js");
  const ajv = new Ajv({
    strict: true,
    // Unions name a key as required that their other half describes.
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    verbose: true,
    // The schemas are ours and `strict` reads them: compiling the schema of schemas as well takes 60 ms.
    meta: false,
    validateSchema: false,
  });
  for (const [name, format] of Object.entries(formats))
    ajv.addFormat(name, { type: "string", validate: (value) => format(value) === undefined });
  return ajv;
}

/** Puts problems at their line and column. */
export function complain(file: YamlFile, problems: readonly Problem[]): Complaint[] {
  return problems.map(({ path, part, says }) => ({
    where: file.where(path, part),
    what: `Cannot accept ${showPath(path)}: ${says}`,
  }));
}
