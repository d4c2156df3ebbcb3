import type { Formats } from "./formats.ts";

type Schema = Readonly<Record<string, unknown>>;
type Rule = (value: unknown, says: unknown, schema: Schema, formats: Formats) => boolean;

/**
 * Whether a value surely is what its schema says. A no is only a guess: of a keyword it does not know it says no
 * as well, and ajv, who knows all of them, has the word. Most specs are right, and then ajv, which takes longer to
 * load and to compile its code than the rest of a run that finds nothing to do, is not even loaded.
 */
export function fits(value: unknown, schema: object, formats: Formats): boolean {
  return Object.entries(schema).every(([keyword, says]) => {
    const rule = Object.hasOwn(rules, keyword) ? rules[keyword] : undefined;
    return rule?.(value, says, schema as Schema, formats) ?? false;
  });
}

/** As in JSON Schema, a keyword about one type says nothing of values of another. */
const rules: Readonly<Record<string, Rule>> = {
  default: () => true,
  description: () => true,
  type: (value, says) => isOfType(value, says),
  const: (value, says) => value === says,
  pattern: (value, says) => typeof value !== "string" || new RegExp(String(says), "u").test(value),
  minLength: (value, says) => typeof value !== "string" || Array.from(value).length >= Number(says),
  maxLength: (value, says) => typeof value !== "string" || Array.from(value).length <= Number(says),
  format: (value, says, _, formats) => {
    const format = Object.hasOwn(formats, String(says)) ? formats[String(says)] : undefined;
    return typeof value !== "string" || (format !== undefined && format(value) === undefined);
  },
  minimum: (value, says) => typeof value !== "number" || value >= Number(says),
  maximum: (value, says) => typeof value !== "number" || value <= Number(says),
  items: (value, says, _, formats) =>
    !Array.isArray(value) || value.every((item) => fits(item, says as Schema, formats)),
  minItems: (value, says) => !Array.isArray(value) || value.length >= Number(says),
  maxItems: (value, says) => !Array.isArray(value) || value.length <= Number(says),
  uniqueItems: (value) =>
    !Array.isArray(value) ||
    (value.every((item) => typeof item === "string") && new Set(value).size === value.length),
  required: (value, says) =>
    !isObject(value) || (says as readonly string[]).every((key) => Object.hasOwn(value, key)),
  dependentRequired: (value, says) =>
    !isObject(value) ||
    Object.entries(says as Readonly<Record<string, readonly string[]>>).every(
      ([key, others]) => !Object.hasOwn(value, key) || others.every((other) => Object.hasOwn(value, other)),
    ),
  minProperties: (value, says) => !isObject(value) || Object.keys(value).length >= Number(says),
  properties: (value, says, _, formats) =>
    !isObject(value) ||
    Object.entries(says as Readonly<Record<string, Schema>>).every(
      ([key, schema]) => !Object.hasOwn(value, key) || fits(value[key], schema, formats),
    ),
  patternProperties: (value, says, _, formats) =>
    !isObject(value) ||
    Object.entries(says as Readonly<Record<string, Schema>>).every(([pattern, schema]) =>
      Object.entries(value).every(
        ([key, each]) => !new RegExp(pattern, "u").test(key) || fits(each, schema, formats),
      ),
    ),
  // Only where it closes an object.
  additionalProperties: (value, says, { properties = {}, patternProperties = {} }) => {
    if (!isObject(value)) return true;
    const patterns = Object.keys(patternProperties as object).map((pattern) => new RegExp(pattern, "u"));
    const isNamed = (key: string) =>
      Object.hasOwn(properties as object, key) || patterns.some((pattern) => pattern.test(key));
    return says === false && Object.keys(value).every(isNamed);
  },
  anyOf: (value, says, _, formats) => (says as readonly Schema[]).some((each) => fits(value, each, formats)),
  oneOf: (value, says) => oneIsGiven(value, says as readonly Schema[]),
  not: (value, says) => noneIsGiven(value, says as Schema),
};

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "boolean":
    case "string":
      return typeof value === type;
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    case "object":
      return isObject(value);
    default:
      return false;
  }
}

function oneIsGiven(value: unknown, branches: readonly Schema[]): boolean {
  return given(value, branches)?.length === 1;
}

function noneIsGiven(value: unknown, refused: Schema): boolean {
  const { anyOf, ...rest } = refused;
  const branches = anyOf !== undefined && Object.keys(rest).length === 0 ? anyOf : [refused];
  return given(value, branches as readonly Schema[])?.length === 0;
}

/** Of branches that only ask for keys: here alone a no is as sure as a yes, and both are needed to count. */
function given(value: unknown, branches: readonly Schema[]): readonly Schema[] | undefined {
  if (!isObject(value) || !branches.every(asksForKeys)) return undefined;
  return branches.filter(({ required }) =>
    (required as readonly string[]).every((key) => Object.hasOwn(value, key)),
  );
}

/** `required`, and beside it those keys again with schemas that say nothing. */
function asksForKeys({ required, properties = {}, ...rest }: Schema): boolean {
  const isEmpty = (schema: object) => Object.keys(schema).length === 0;
  return Array.isArray(required) && isEmpty(rest) && Object.values(properties as object).every(isEmpty);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
