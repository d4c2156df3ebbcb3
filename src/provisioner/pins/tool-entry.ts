import type { Static, TSchema } from "typebox";

import { Type } from "../core/schema.ts";

const closed = { additionalProperties: false };

/** A value for every architecture, or one for each. */
function perArchitecture<Value extends TSchema>(value: Value, description: string) {
  const each = Type.Object(
    { x86_64: Type.Optional(value), aarch64: Type.Optional(value) },
    { ...closed, minProperties: 1 },
  );
  return Type.Union([value, each], { description });
}

const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const text = Type.String({ minLength: 1 });
const url = Type.String({ pattern: "^https?://" });
const commands = Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$" }), text, {
  minProperties: 1,
});

const extra = Type.Object(
  {
    from: Type.String({
      minLength: 1,
      description: "Path in the archive; * stands for anything but a slash",
    }),
    to: Type.Union(
      [
        Type.Literal("man1"),
        Type.Literal("man5"),
        Type.Literal("man8"),
        Type.Literal("bash"),
        Type.Literal("zsh"),
        Type.Literal("fish"),
        Type.Literal("doc"),
      ],
      { description: "A manual page of that section, a shell's completions, or documentation" },
    ),
  },
  closed,
);

const shared = {
  artifact: Type.Optional(perArchitecture(text, "Name of the file in the release of repo")),
  url: Type.Optional(perArchitecture(url, "Where the file is, when it is not in a release of repo")),
  sha256: perArchitecture(sha256, "Digest of the file; a machine without one here is refused"),
  format: Type.Optional(
    Type.Union(
      [
        Type.Literal("tar.gz"),
        Type.Literal("tar.xz"),
        Type.Literal("tar.zst"),
        Type.Literal("tar"),
        Type.Literal("zip"),
        Type.Literal("raw"),
      ],
      { description: "How it is packed, where the name of the file does not say; raw is the program itself" },
    ),
  ),
  binary: Type.Optional(
    Type.Union([text, commands], {
      description:
        "The program: its path in the archive, or each command with its path (by architecture: x86_64, aarch64); " +
        "of a raw file the name it gets, the tool's own when left out",
    }),
  ),
  extra: Type.Optional(
    Type.Array(extra, { minItems: 1, description: "Manual pages, completions and documentation" }),
  ),
};

const bump = Type.Object(
  {
    hold: Type.Optional(
      Type.Union([Type.Boolean(), text], { description: "Never renewed by bump; a text says why" }),
    ),
    source: Type.Optional(
      Type.Union([Type.Literal("releases"), Type.Literal("tags")], {
        default: "releases",
        description: "Where versions are listed",
      }),
    ),
    repo: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$", description: "Left out: the tool's" }),
    ),
    match: Type.Optional(
      Type.String({
        minLength: 1,
        description: "A tag that is a version, as a regular expression with a group named version",
      }),
    ),
    major: Type.Optional(Type.Integer({ minimum: 0, description: "Stay on this major version" })),
    minAgeDays: Type.Optional(
      Type.Number({ minimum: 0, default: 3, description: "How long a release must have been out" }),
    ),
    checksums: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Where upstream lists digests, when the release API has none: a file of the release, or a URL; {artifact} " +
          "stands for the name of the file",
      }),
    ),
  },
  { ...closed, description: "How `provision bump` finds the next version" },
);

/** The schema of one tool in versions.yaml. */
export const toolEntrySchema = Type.Object(
  {
    version: Type.String({
      pattern: "^[0-9A-Za-z][0-9A-Za-z._+-]*$",
      description: "Quoted, or YAML makes 1.10 a number",
    }),
    repo: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$",
        description: "Repository on GitHub, as owner/name",
      }),
    ),
    tag: Type.Optional(
      Type.String({ minLength: 1, default: "v{version}", description: "The release's tag" }),
    ),
    arch: Type.Optional(
      perArchitecture(
        Type.String({ minLength: 1 }),
        "What {arch} stands for; one word alone also says which machine the entry is for (x86_64, amd64, aarch64, arm64)",
      ),
    ),
    ...shared,
    extract_to: Type.Optional(
      Type.String({
        pattern: "^(~/\\.local|/usr/local)(/(?!\\.{1,2}(/|$))[^/\\u0000-\\u001f\\u007f]+)*$",
        description:
          "The whole tree is installed: into the prefix itself (~/.local, /usr/local), or as a directory of it (/usr/local/go)",
      }),
    ),
    root: Type.Optional(
      Type.Union([text, Type.Array(text, { minItems: 1, uniqueItems: true })], {
        description: "Folders of the archive whose content is the tree; all of it when left out",
      }),
    ),
    parts: Type.Optional(
      Type.Array(Type.Object(shared, { ...closed }), {
        minItems: 1,
        description:
          "Further files of the same release, installed and removed with it: artifact or url, sha256, format, binary " +
          "and extra of their own",
      }),
    ),
    license: Type.Optional(Type.String({ minLength: 1, description: "As an SPDX expression" })),
    system: Type.Optional(
      Type.Boolean({ default: false, description: "For a whole machine: `provision install` leaves it out" }),
    ),
    bump: Type.Optional(bump),
  },
  { ...closed, dependentRequired: { root: ["extract_to"] } },
);

/** One tool in versions.yaml. */
export type ToolEntry = Static<typeof toolEntrySchema>;

/** A further file of a tool's release. */
export type ToolPart = NonNullable<ToolEntry["parts"]>[number];
