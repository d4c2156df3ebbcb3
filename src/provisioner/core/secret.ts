import type { Static, TSchema } from "typebox";

import { exactlyOne } from "./choices.ts";
import { Type } from "./schema.ts";

/** On every schema of a secret; a key that no JSON shows and no check of schemas sees. */
const mark = Symbol("secret");

const source = Type.Object(
  {
    file: Type.Optional(
      Type.String({ minLength: 1, description: "A file of this machine: absolute, ~/ or beside the spec" }),
    ),
    env: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        description: "A variable of provision's environment",
      }),
    ),
    command: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description: "A program of this machine with its arguments, which prints it",
      }),
    ),
  },
  { additionalProperties: false, ...exactlyOne("file", "env", "command") },
);

/** Where a secret is to be had on the controller. A spec says this, and never the secret itself. */
export type SecretSource = Static<typeof source>;

/** The schema of a parameter that is a secret. */
export function secretOf(description: string): typeof source {
  return { ...source, description, [mark]: true } as typeof source;
}

/** Every secret that parameters name, at whatever depth, by what their schema says is one. */
export function secretsIn(params: unknown, schema: TSchema): readonly SecretSource[] {
  if (typeof params !== "object" || params === null) return [];
  if (mark in schema) return [params];
  const {
    properties = {},
    patternProperties = {},
    items,
  } = schema as {
    readonly properties?: Readonly<Record<string, TSchema>>;
    readonly patternProperties?: Readonly<Record<string, TSchema>>;
    readonly items?: TSchema;
  };
  if (Array.isArray(params)) return items ? params.flatMap((item) => secretsIn(item, items)) : [];
  return Object.entries(params).flatMap(([key, value]) => {
    const named = Object.hasOwn(properties, key) ? [properties[key]] : [];
    const matching = Object.keys(patternProperties).filter((pattern) => new RegExp(pattern, "u").test(key));
    const inner = [...named, ...matching.map((pattern) => patternProperties[pattern])];
    return inner.flatMap((each) => (each ? secretsIn(value, each) : []));
  });
}

/** A source in words, for messages: `the variable "TOKEN"`. */
export function secretName({ file, env, command = [] }: SecretSource): string {
  if (file !== undefined) return `the file "${file}"`;
  return env === undefined ? `\`${command.join(" ")}\`` : `the variable "${env}"`;
}
