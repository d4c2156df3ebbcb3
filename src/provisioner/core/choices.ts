import { Type } from "./schema.ts";

/** For a schema's options: exactly one of these parameters is given. */
export function exactlyOne(...keys: readonly string[]): { readonly oneOf: readonly object[] } {
  return { oneOf: keys.map(given) };
}

/** For a schema's options: one or more of these parameters are given. */
export function atLeastOne(...keys: readonly string[]): { readonly anyOf: readonly object[] } {
  return { anyOf: keys.map(given) };
}

/** `properties` beside `required`: without it ajv's strict mode takes the key for a slip of the pen. */
function given(key: string): object {
  return { required: [key], properties: { [key]: {} } };
}

/** For a schema's properties: whether the thing is to be there, which it is when nothing is said. */
export function presentOrAbsent(description: string) {
  return Type.Optional(
    Type.Union([Type.Literal("present"), Type.Literal("absent")], { default: "present", description }),
  );
}
