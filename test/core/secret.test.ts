import { describe, expect, it } from "vitest";

import { Type } from "../../src/provisioner/core/schema.ts";
import { secretName, secretOf, secretsIn } from "../../src/provisioner/core/secret.ts";

const schema = Type.Object({
  name: Type.String(),
  key: Type.Optional(secretOf("A key")),
  tokens: Type.Optional(Type.Record(Type.String({ pattern: "^[A-Z]+$" }), secretOf("A token"))),
  peers: Type.Optional(Type.Array(Type.Object({ shared: Type.Optional(secretOf("Shared")) }))),
});

describe("secretsIn", () => {
  it("finds each, however deep, and takes nothing else for one", () => {
    const params = {
      name: "one",
      key: { env: "KEY" },
      tokens: { ONE: { env: "ONE" }, lower: { env: "NONE" } },
      peers: [{ shared: { file: "a" } }, {}, { shared: { command: ["b"] } }],
      other: { env: "OTHER" },
    };

    expect(secretsIn(params, schema)).toEqual([
      { env: "KEY" },
      { env: "ONE" },
      { file: "a" },
      { command: ["b"] },
    ]);
  });

  it("finds none where none is given", () => {
    expect(secretsIn({ name: "one", peers: [] }, schema)).toEqual([]);
    expect(secretsIn("text", schema)).toEqual([]);
  });

  it("shows no mark to whoever reads the schema as JSON", () => {
    expect(Object.keys(JSON.parse(JSON.stringify(secretOf("A key"))) as object)).toEqual([
      "type",
      "properties",
      "additionalProperties",
      "oneOf",
      "description",
    ]);
  });
});

it.each([
  [{ file: "keys/a" }, 'the file "keys/a"'],
  [{ env: "TOKEN" }, 'the variable "TOKEN"'],
  [{ command: ["pass", "show", "app"] as string[] }, "`pass show app`"],
])("names %o in words", (source, words) => {
  expect(secretName(source)).toBe(words);
});
