import type { TSchema, Type as Typebox } from "typebox";

/** Marks a property that need not be there. No JSON shows it. */
const optional = "~optional";

type Plain = Readonly<Record<string, unknown>>;

/**
 * JSON Schemas with typebox's types: its builders by the same names, as many of them as we use, and they build the
 * same. Its own come in 370 modules, whose loading would be a third of a run that finds nothing to do; so of
 * typebox itself only types are imported, which are gone when the program runs.
 */
export const Type = {
  Array: (items: TSchema, options?: Plain) => ({ type: "array", items, ...options }),
  Boolean: (options?: Plain) => ({ type: "boolean", ...options }),
  Integer: (options?: Plain) => ({ type: "integer", ...options }),
  Literal: (value: string | number | boolean, options?: Plain) => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Number: (options?: Plain) => ({ type: "number", ...options }),
  Object: (properties: Readonly<Record<string, TSchema>>, options?: Plain) => {
    const required = Object.keys(properties).filter((key) => !(optional in (properties[key] ?? {})));
    return { type: "object", ...(required.length > 0 && { required }), properties, ...options };
  },
  Optional: (type: TSchema) => Object.defineProperty({ ...type }, optional, { value: true }),
  Record: (key: { readonly pattern?: string }, value: TSchema, options?: Plain) => ({
    type: "object",
    patternProperties: { [key.pattern ?? "^.*$"]: value },
    ...options,
  }),
  String: (options?: Plain) => ({ type: "string", ...options }),
  Union: (anyOf: readonly TSchema[], options?: Plain) => ({ anyOf, ...options }),
  Unknown: (options?: Plain) => ({ ...options }),
} as unknown as Pick<
  typeof Typebox,
  | "Array"
  | "Boolean"
  | "Integer"
  | "Literal"
  | "Number"
  | "Object"
  | "Optional"
  | "Record"
  | "String"
  | "Union"
  | "Unknown"
>;
