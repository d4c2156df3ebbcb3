import type { Static } from "typebox";

import { Type } from "../provisioner/core/schema.ts";
import {
  absolutePath,
  accountName,
  attributeDifferences,
  type Attributes,
  type Change,
  defineTask,
  digestOf,
  exactlyOne,
  type Facts,
  type FileStat,
  Refusal,
  secretOf,
  type Source,
  write,
} from "../provisioner/core/task.ts";

const schema = Type.Object(
  {
    path: Type.String({ pattern: absolutePath, description: "Where the file is; its directory must exist" }),
    content: Type.Optional(
      Type.String({ description: "The text itself; say the last newline if you want one" }),
    ),
    template: Type.Optional(
      Type.String({ format: "template", description: "Name of a template in templates/, without .hbs" }),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "What the template's names stand for" }),
    ),
    source: Type.Optional(
      Type.String({ format: "source", description: "A file beside the spec, copied byte for byte" }),
    ),
    secret: Type.Optional(
      secretOf("A secret of this machine, byte for byte: shown nowhere, compared by its digest, mode 0600"),
    ),
    mode: Type.Optional(
      Type.String({
        pattern: "^[0-7]{4}$",
        description: 'Four octal digits, as text; "0644" when left out, "0600" with a secret',
      }),
    ),
    owner: Type.Optional(
      Type.String({ pattern: accountName, default: "root", description: "Owner, by name" }),
    ),
    group: Type.Optional(
      Type.String({ pattern: accountName, default: "root", description: "Group, by name" }),
    ),
    replaceLink: Type.Optional(
      Type.Boolean({ default: false, description: "Put the file in the place of a symbolic link" }),
    ),
  },
  {
    additionalProperties: false,
    ...exactlyOne("content", "template", "source", "secret"),
    dependentRequired: { variables: ["template"] },
  },
);

/**
 * A regular file: all of its content, its mode and its owner. What is not a file is never overwritten: a
 * directory would be lost with all it holds, a link may be there on purpose.
 */
export const file = defineTask({
  name: "file",
  summary: "A regular file with its content, mode and owner.",
  schema,
  examples: [
    { title: "Write a text", params: { path: "/etc/motd", content: "Handle with care\n" } },
    {
      title: "Fill in a template, for one group's eyes",
      params: {
        path: "/etc/app.conf",
        template: "app.conf",
        variables: { port: 8080 },
        mode: "0640",
        group: "adm",
      },
    },
    {
      title: "Copy a program from beside the spec",
      params: { path: "/usr/local/bin/backup", source: "files/backup.sh", mode: "0755" },
    },
    {
      title: "Hand over a password that no spec holds",
      params: { path: "/etc/app.password", secret: { command: ["pass", "show", "app"] }, owner: "www-data" },
    },
  ],

  subject: ({ path }) => path,

  owns: ({ path }) => [path],

  async read(facts, params): Promise<State> {
    const { path } = params;
    const [wanted, stat, digest, text] = await Promise.all([
      readWanted(facts, params),
      facts.stat(path),
      orReason(facts.digest(path)),
      // Only to be shown, where a text replaces it: what is in the way may be no text.
      isShown(params) ? orReason(facts.file(path)) : { value: undefined },
    ]);
    // What stands behind a link, or is a directory, need not be known: it is refused or replaced unread.
    if (stat?.type === "file" && "reason" in digest) throw digest.reason;
    const found = stat?.type === "file" && "value" in digest ? digest.value : undefined;
    return { wanted, stat, digest: found, text: "value" in text ? text.value : undefined };
  },

  plan(params, { wanted, stat, digest, text }): readonly Change[] {
    const { path, secret, owner = "root", group = "root" } = params;
    const { mode = secret === undefined ? "0644" : "0600" } = params;
    const attributes = { mode, owner, group };
    if (stat && stat.type !== "file") refuseToReplace(params, stat);
    const isFile = stat?.type === "file";
    const kept = isFile ? attributeDifferences(path, attributes, stat) : [];
    if (digest === wanted.sha256) return kept;
    const found = isFile ? contentWords(wanted, stat, digest, text) : stat && `link to ${stat.target}`;
    return [{ what: path, from: found, ...put(path, wanted, attributes) }, ...kept];
  },
});

type Wanted =
  | { readonly kind: "text"; readonly text: string; readonly sha256: string }
  | { readonly kind: "secret"; readonly text: string; readonly sha256: string }
  | { readonly kind: "source"; readonly source: Source; readonly sha256: string };

interface State {
  readonly wanted: Wanted;
  readonly stat: FileStat | undefined;
  /** Of a regular file at the path itself. */
  readonly digest: string | undefined;
  /** Its text, where it is one. */
  readonly text: string | undefined;
}

/** Whether what is replaced may be seen: not where it was a secret, and not where bytes replace it. */
function isShown({ source, secret }: Static<typeof schema>): boolean {
  return source === undefined && secret === undefined;
}

async function readWanted(facts: Facts, params: Static<typeof schema>): Promise<Wanted> {
  const { content, template, variables = {}, source: path, secret } = params;
  if (path !== undefined) {
    const source = await facts.source(path);
    return { kind: "source", source, sha256: source.sha256 };
  }
  if (secret !== undefined) {
    const text = await facts.secret(secret);
    return { kind: "secret", text, sha256: digestOf(text) };
  }
  const text = template === undefined ? content : await facts.template(template, variables);
  if (text === undefined) throw new Refusal("must have content, template, source or secret, has none");
  return { kind: "text", text, sha256: digestOf(text) };
}

/**
 * What a file holds, as far as it is told. What not everybody on the machine may read, a secret of an earlier run's
 * maybe, everybody who sees a diff may not either; of that not even the digest, by which it can be guessed.
 */
function contentWords(
  { kind }: Wanted,
  { mode }: FileStat,
  digest: string | undefined,
  text: string | undefined,
): string {
  const isPublic = (Number.parseInt(mode, 8) & 0o004) !== 0;
  if (kind === "secret" || !isPublic) return "other content";
  return (kind === "text" ? text : undefined) ?? `SHA-256 ${digest}`;
}

function put(path: string, wanted: Wanted, attributes: Attributes): Pick<Change, "to" | "actions"> {
  switch (wanted.kind) {
    case "text":
      return { to: wanted.text, actions: [write(path, wanted.text, attributes)] };
    case "secret":
      return { to: "the secret", actions: [write(path, wanted.text, attributes)] };
    case "source":
      return {
        to: `SHA-256 ${wanted.sha256}`,
        actions: [{ kind: "upload", path, source: wanted.source, ...attributes }],
      };
    default:
      return wanted satisfies never;
  }
}

/** A fact that may stay unknown, with the reason kept. */
async function orReason<Value>(fact: Promise<Value>): Promise<{ value: Value } | { reason: unknown }> {
  try {
    return { value: await fact };
  } catch (reason) {
    return { reason };
  }
}

function refuseToReplace({ path, replaceLink }: Static<typeof schema>, stat: FileStat): void {
  if (stat.type !== "symlink") {
    const found = stat.type === "other" ? "device, socket or pipe" : stat.type;
    throw new Refusal(`"${path}" must be a file or absent, is a ${found}; remove it first`);
  }
  if (!replaceLink) {
    throw new Refusal(
      `"${path}" must be a file or absent, is a link to "${stat.target}"; name that path, or say replaceLink: true`,
    );
  }
}
