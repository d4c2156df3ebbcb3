import { type Static, Type } from "typebox";

import {
  absolutePath,
  accountName,
  attributeDifferences,
  type Change,
  defineTask,
  differences,
  exactlyOne,
  type Facts,
  type FileStat,
  Refusal,
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
    mode: Type.Optional(
      Type.String({
        pattern: "^[0-7]{4}$",
        default: "0644",
        description: 'Four octal digits, as text: "0644"',
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
    ...exactlyOne("content", "template", "source"),
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
  ],

  subject: ({ path }) => path,

  async read(facts, params): Promise<State> {
    const { path, source } = params;
    if (source !== undefined) {
      const [wanted, stat, digest] = await Promise.all([
        facts.source(source),
        facts.stat(path),
        facts.digest(path),
      ]);
      return { kind: "source", wanted, stat, digest };
    }
    const [wanted, stat, text] = await Promise.all([
      wantedText(facts, params),
      facts.stat(path),
      facts.file(path),
    ]);
    return { kind: "text", wanted, stat, text };
  },

  plan(params, state) {
    const { path, mode = "0644", owner = "root", group = "root" } = params;
    const attributes = { mode, owner, group };
    const { stat } = state;
    const isFile = stat?.type === "file";
    if (stat && !isFile) refuseToReplace(params, stat);
    return [
      ...(state.kind === "text"
        ? differences({
            what: path,
            from: isFile ? state.text : inPlace(stat),
            to: state.wanted,
            actions: [write(path, state.wanted, attributes)],
          })
        : differences({
            what: path,
            from: isFile ? state.digest : inPlace(stat),
            to: state.wanted.sha256,
            actions: [{ kind: "upload", path, source: state.wanted, ...attributes }],
          })),
      ...(isFile ? attributeDifferences(path, attributes, stat) : []),
    ] satisfies readonly Change[];
  },
});

type State =
  | {
      readonly kind: "text";
      readonly wanted: string;
      readonly stat: FileStat | undefined;
      readonly text: string | undefined;
    }
  | {
      readonly kind: "source";
      readonly wanted: Source;
      readonly stat: FileStat | undefined;
      readonly digest: string | undefined;
    };

async function wantedText(facts: Facts, params: Static<typeof schema>): Promise<string> {
  const { content, template, variables = {} } = params;
  if (content !== undefined) return content;
  if (template !== undefined) return facts.template(template, variables);
  throw new Refusal("must have content, template or source, has none");
}

function refuseToReplace({ path, replaceLink }: Static<typeof schema>, stat: FileStat): void {
  if (stat.type !== "symlink") {
    throw new Refusal(`"${path}" must be a file or absent, is a ${stat.type}; remove it first`);
  }
  if (!replaceLink) {
    throw new Refusal(
      `"${path}" must be a file or absent, is a link to "${stat.target}"; name that path, or say replaceLink: true`,
    );
  }
}

function inPlace(stat: FileStat | undefined): string | undefined {
  return stat && `link to ${stat.target}`;
}
