import { orList, showValue } from "./show-value.ts";

type Schema = Readonly<Record<string, unknown>>;

/**
 * A schema that only says which keys there must be, in words: `"device" and "type"`, `state "absent"`.
 * Nothing for a schema of another kind.
 */
export function conditionWords(schema: Schema): string | undefined {
  if ("type" in schema) return undefined;
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, Schema>>;
  const keys = (schema["required"] as readonly string[] | undefined) ?? [];
  const parts = keys.map((key) => {
    const value = properties[key]?.["const"];
    return value === undefined ? `"${key}"` : `${key} ${showValue(value)}`;
  });
  const refused = schema["not"] as Schema | undefined;
  const without = refused && conditionWords(refused);
  if (without !== undefined) parts.push(`no ${without}`);
  const choices = choiceWords((schema["oneOf"] ?? schema["anyOf"]) as readonly Schema[] | undefined);
  if (choices !== undefined) parts.push(choices);
  return parts.length === 0 ? undefined : parts.join(" and ");
}

/** Conditions of which one has to hold; nothing when one of them is no condition. */
export function choiceWords(branches: readonly Schema[] | undefined): string | undefined {
  const words = (branches ?? []).map(conditionWords);
  const known = words.filter((word) => word !== undefined);
  if (known.length === 0 || known.length < words.length) return undefined;
  return known.some((word) => word.includes(" and ")) ? known.join(", or ") : orList(known);
}
