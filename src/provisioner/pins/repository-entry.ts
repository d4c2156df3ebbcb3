import { Type } from "../core/schema.ts";

const closed = { additionalProperties: false };

const WORD = "^[^\\s\\u0000-\\u001f\\u007f#-][^\\s\\u0000-\\u001f\\u007f]*$";

/** A package repository that is pinned: where it is, and whose key signs it. */
export const repositoryEntrySchema = Type.Object(
  {
    uris: Type.Array(Type.String({ pattern: "^https?://[^\\s\\u0000-\\u001f]+$" }), {
      minItems: 1,
      description: "Where it is; one of them answers",
    }),
    suites: Type.Array(Type.String({ pattern: WORD }), {
      minItems: 1,
      description: "Releases in it; a path that ends in / for a flat one",
    }),
    components: Type.Optional(
      Type.Array(Type.String({ pattern: WORD }), {
        minItems: 1,
        description: "Parts of the releases; none for a flat repository",
      }),
    ),
    key: Type.Object(
      {
        url: Type.String({ pattern: "^https?://", description: "The armoured key" }),
        fingerprints: Type.Array(Type.String({ pattern: "^([0-9A-Fa-f] ?){40}$" }), {
          minItems: 1,
          description: "Of every key in it; a file with another key is refused",
        }),
      },
      { ...closed, description: "What its lists are signed by" },
    ),
    packages: Type.Optional(
      Type.Record(
        Type.String({ pattern: "^[a-z0-9][a-z0-9+.-]+$" }),
        Type.String({ pattern: "^[0-9A-Za-z][0-9A-Za-z.+~:-]*$" }),
        { description: "Packages that may be installed in this version alone; those left out: the newest" },
      ),
    ),
  },
  closed,
);
