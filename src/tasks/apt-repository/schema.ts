import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { absolutePath, atLeastOne, exactlyOne, presentOrAbsent } from "../../provisioner/core/task.ts";

const WORD = "^[^\\s\\u0000-\\u001f\\u007f#-][^\\s\\u0000-\\u001f\\u007f]*$";

/** What `apt-repository` takes. */
export const schema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]*$",
      description:
        "Names its files: sources.list.d/<name>.sources, keyrings/<name>.asc and preferences.d/<name>.pref",
    }),
    pinned: Type.Optional(
      Type.String({
        format: "repository",
        description: "Where it is and whose key signs it, by this entry of `repositories` of versions.yaml",
      }),
    ),
    uris: Type.Optional(
      Type.Array(Type.String({ pattern: "^(https?|file|mirror|copy):[^\\s\\u0000-\\u001f]+$" }), {
        minItems: 1,
        description: "Where it is; one of them answers",
      }),
    ),
    suites: Type.Optional(
      Type.Array(Type.String({ pattern: WORD }), {
        minItems: 1,
        description: "Releases in it: trixie; a path that ends in / for a flat one",
      }),
    ),
    components: Type.Optional(
      Type.Array(Type.String({ pattern: WORD }), {
        minItems: 1,
        description: "Parts of the releases: main, stable; none for a flat repository",
      }),
    ),
    architectures: Type.Optional(
      Type.Array(Type.String({ pattern: "^[a-z0-9-]+$" }), {
        minItems: 1,
        description: "Left out: the machine's own",
      }),
    ),
    types: Type.Optional(
      Type.Array(Type.Union([Type.Literal("deb"), Type.Literal("deb-src")]), {
        minItems: 1,
        uniqueItems: true,
        default: ["deb"],
        description: "Packages, sources of packages, or both",
      }),
    ),
    key: Type.Optional(
      Type.Object(
        {
          content: Type.Optional(
            Type.String({
              minLength: 1,
              description: "The armoured key itself (-----BEGIN PGP PUBLIC KEY BLOCK-----)",
            }),
          ),
          source: Type.Optional(
            Type.String({ format: "source", description: "The armoured key as a file beside the spec" }),
          ),
          fingerprints: Type.Array(Type.String({ pattern: "^([0-9A-Fa-f] ?){40}$" }), {
            minItems: 1,
            description:
              "Of every key in it; a key that is not named here is refused, before anything is changed",
          }),
        },
        {
          additionalProperties: false,
          ...exactlyOne("content", "source"),
          description: "What its lists are signed by",
        },
      ),
    ),
    keyring: Type.Optional(
      Type.String({
        pattern: absolutePath,
        description: "Instead of a key: a keyring that a package has brought, under /usr/share/keyrings",
      }),
    ),
    state: presentOrAbsent("Whether it is there"),
  },
  {
    additionalProperties: false,
    anyOf: [
      {
        required: ["uris", "suites"],
        properties: { uris: {}, suites: {} },
        ...exactlyOne("key", "keyring"),
        not: { required: ["pinned"], properties: { pinned: {} } },
      },
      {
        required: ["pinned"],
        properties: { pinned: {} },
        not: atLeastOne("uris", "suites", "components", "key", "keyring"),
      },
      { required: ["state"], properties: { state: { const: "absent" } } },
    ],
  },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
