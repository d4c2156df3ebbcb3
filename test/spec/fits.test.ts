import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { registry } from "../../src/provisioner/cli/compose.ts";
import { fits } from "../../src/provisioner/spec/fits.ts";
import { hostSchema } from "../../src/provisioner/spec/host-schema.ts";
import { imageSpecSchema } from "../../src/provisioner/spec/image-spec.ts";
import { somePublicKey } from "../support/public-key.ts";

const formats = {
  template: () => undefined,
  source: () => undefined,
  base: () => undefined,
  tool: () => undefined,
  repository: () => undefined,
  image: () => undefined,
  "key-file": () => undefined,
};
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
for (const name of Object.keys(formats)) ajv.addFormat(name, () => true);

const schemas = [
  ...registry.map(({ name, schema, examples }) => ({
    name,
    schema,
    examples: examples.map(({ params }) => params),
  })),
  {
    name: "spec",
    schema: imageSpecSchema,
    examples: [{ base: "debian-13", disk: { sizeGiB: 8 }, tasks: [] }],
  },
  {
    name: "host",
    schema: hostSchema,
    examples: [
      {
        image: "base",
        domain: "lan",
        disk: { mode: "copy" },
        extraDisks: [{ name: "data", sizeGiB: 1 }],
        networks: [{ bridge: "br0", addresses: ["192.0.2.1/24"], dns: { search: ["lan"] } }],
        users: [{ name: "alice", keys: ["agent", somePublicKey(), { file: "a.pub" }], sudo: true }],
        gpus: ["0000:01:00.0"],
        labels: { role: "server" },
      },
    ],
  },
];

describe("fits", () => {
  it.each(schemas)("knows every keyword of what is right: $name", ({ schema, examples }) => {
    for (const example of examples) expect(fits(example, schema, formats)).toBe(true);
  });

  it.each(schemas)("accepts nothing that ajv would refuse: $name", ({ schema, examples }) => {
    const isRight = ajv.compile(schema);
    const wrong = fc.tuple(fc.constantFrom(...examples), fc.array(slip(schema), { maxLength: 3 }));

    fc.assert(
      fc.property(wrong, ([example, slips]) => {
        const value = { ...(example as object), ...Object.fromEntries(slips) };
        expect(!fits(value, schema, formats) || isRight(value)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["a keyword it does not know", { type: "string", contentEncoding: "base64" }, "x"],
    ["a type it does not know", { type: ["string", "null"] }, "x"],
    ["a format nobody told it of", { type: "string", format: "email" }, "x"],
    [
      "a choice between forms that are more than keys",
      { oneOf: [{ type: "string" }, { type: "number" }] },
      "x",
    ],
    [
      "extra keys that have a schema",
      { type: "object", additionalProperties: { type: "string" } },
      { a: "b" },
    ],
    ["a list whose items it cannot compare", { uniqueItems: true }, [{}, []]],
    ["a name that objects inherit", { type: "object", constructor: true }, {}],
  ])("leaves %s to ajv", (_, schema, value) => {
    expect(fits(value, schema, formats)).toBe(false);
  });
});

/** A key of the schema, or of none, with a value that may be anything. */
function slip(schema: object) {
  const keys = Object.keys((schema as { properties?: object }).properties ?? {});
  const texts = ["", "a", "0644", "/etc/x", "present", "absent", "a b", "../x"];
  const value = fc.oneof(
    fc.constantFrom<unknown>(...texts, true, false, null, 0, -1, 1.5, 5_000_000_000, Number.NaN),
    fc.array(fc.constantFrom<unknown>(...texts, 1), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom("a", "content", "source", "fingerprints"),
      fc.constantFrom<unknown>(...texts, 1),
    ),
  );
  return fc.tuple(fc.constantFrom(...keys, "unheard-of"), value);
}
