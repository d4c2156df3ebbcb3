import { Type as Typebox } from "typebox";
import { describe, expect, it } from "vitest";

import { Type } from "../../src/provisioner/core/schema.ts";

const words = { description: "A word" };

/** One schema with every builder in it. */
function everything(type: typeof Type): unknown {
  return type.Object(
    {
      list: type.Array(type.Integer({ minimum: 0 }), { uniqueItems: true }),
      flag: type.Optional(type.Boolean({ default: false })),
      number: type.Optional(type.Number()),
      state: type.Union([type.Literal("present"), type.Literal(true), type.Literal(5, words)], words),
      inner: type.Object({ all: type.Optional(type.String(words)) }),
      bare: type.Object({}),
      any: type.Record(type.String(), type.Unknown(), words),
      named: type.Optional(type.Record(type.String({ pattern: "^a" }), type.Unknown(words))),
    },
    { additionalProperties: false },
  );
}

describe("Type", () => {
  it("builds what typebox builds, key by key", () => {
    expect(JSON.stringify(everything(Type), undefined, 1)).toBe(
      JSON.stringify(everything(Typebox), undefined, 1),
    );
  });

  it("leaves a schema required elsewhere when it is made optional", () => {
    const text = Type.String();

    Type.Optional(text);

    expect(Type.Object({ text })).toMatchObject({ required: ["text"] });
  });
});
