import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { absolutePath, atLeastOne, presentOrAbsent, secretOf } from "../../provisioner/core/task.ts";

/** No line breaks, and nothing that would be lost at either end. */
const text = Type.String({
  pattern: "^[^\\s\\u0000-\\u001f\\u007f]([^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f])?$",
});
const scalar = Type.Union([text, Type.Number(), Type.Boolean()]);

const properties = Type.Record(
  Type.String({ pattern: "^[a-zA-Z][a-zA-Z0-9_.]*$" }),
  Type.Union([scalar, Type.Array(scalar, { minItems: 1 })]),
  {
    additionalProperties: false,
    description: "What it takes beside, by fluent-bit's own names; a list is a property said several times",
  },
);

const named = (examples: string) =>
  Type.String({
    pattern: "^[a-z][a-z0-9_-]*$",
    description: `Which one, as fluent-bit names it: ${examples}`,
  });
const match = Type.Optional(
  Type.String({ pattern: "^\\S+$", default: "*", description: "Of which tags; * stands for anything" }),
);

const input = Type.Object(
  {
    name: named("systemd, tail, forward"),
    tag: Type.Optional(
      Type.String({ pattern: "^\\S+$", description: "What outputs and filters know it by" }),
    ),
    properties: Type.Optional(properties),
  },
  { additionalProperties: false },
);
const target = (examples: string) =>
  Type.Object(
    { name: named(examples), match, properties: Type.Optional(properties) },
    { additionalProperties: false },
  );

/** What a use may say. */
export const schema = Type.Object(
  {
    outputs: Type.Optional(
      Type.Array(target("loki, http, forward, file, null"), {
        minItems: 1,
        description: "Where it goes, each with what it takes",
      }),
    ),
    inputs: Type.Optional(
      Type.Array(input, {
        minItems: 1,
        description: "What is read; left out: the journal, and the audit trail by laurel",
      }),
    ),
    filters: Type.Optional(
      Type.Array(target("modify, grep, record_modifier"), {
        description: "What is done to it on the way, in this order",
      }),
    ),
    service: Type.Optional({
      ...properties,
      description: "Settings of the whole: flush, log_level; in place of ours",
    }),
    template: Type.Optional(
      Type.String({
        format: "template",
        description: "In place of all these: its whole text as a template in templates/, without .hbs",
      }),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "What the template's names stand for" }),
    ),
    secrets: Type.Optional(
      Type.Record(Type.String({ pattern: "^[A-Z][A-Z0-9_]*$" }), secretOf("A secret, one line"), {
        additionalProperties: false,
        description:
          "Secrets by name, each from `file`, `env` or `command`: LOKI_PASSWORD is what ${LOKI_PASSWORD} stands for in a property or the template",
      }),
    ),
    restartOn: Type.Optional(
      Type.Array(Type.String({ pattern: absolutePath }), {
        minItems: 1,
        uniqueItems: true,
        description: "Files it reads beside: parsers, certificates; when one changed it is started anew",
      }),
    ),
    state: presentOrAbsent("absent: it does not run, not at boot either, and these settings are gone"),
  },
  {
    additionalProperties: false,
    anyOf: [
      ...atLeastOne("outputs", "template").anyOf,
      { required: ["state"], properties: { state: { const: "absent" } } },
    ],
    dependentRequired: {
      variables: ["template"],
      inputs: ["outputs"],
      filters: ["outputs"],
      service: ["outputs"],
    },
  },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;

/** Properties of one section. */
export type Properties = Static<typeof properties>;
