import type { Static } from "typebox";

import { Type } from "../provisioner/core/schema.ts";
import {
  absolutePath,
  type Action,
  atLeastOne,
  type Command,
  defineTask,
  differences,
  digestOf,
  run,
  write,
} from "../provisioner/core/task.ts";

const schema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]*$",
      description: "What it brings about: names the use and its stamp",
    }),
    argv: Type.Array(Type.String(), {
      minItems: 1,
      description: "Program and arguments; no shell reads them",
    }),
    creates: Type.Optional(
      Type.String({ pattern: absolutePath, description: "Guard: runs while nothing is at this path" }),
    ),
    unless: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description: "Guard: runs while this program, which only looks, does not exit 0",
      }),
    ),
    inputs: Type.Optional(
      Type.Array(Type.String({ pattern: absolutePath }), {
        minItems: 1,
        uniqueItems: true,
        description:
          "Guard: runs when one of these files, or the command, is not as it was when it last succeeded",
      }),
    ),
    directory: Type.Optional(
      Type.String({ pattern: `^/$|${absolutePath}`, description: "Where it runs; left out: /" }),
    ),
    environment: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: "Variables added to the plain ones" }),
    ),
    timeoutSeconds: Type.Optional(
      Type.Integer({ minimum: 1, default: 120, description: "How long it may take" }),
    ),
    detached: Type.Optional(
      Type.Boolean({ default: false, description: "Let it outlive a lost connection, never to run twice" }),
    ),
  },
  { additionalProperties: false, ...atLeastOne("creates", "unless", "inputs") },
);

type Params = Static<typeof schema>;

/**
 * A command for what no other task settles. It has a guard, or it would run each time and prove nothing; with
 * several guards it runs when any of them says so, and all of them must be content afterwards.
 */
export const command = defineTask({
  name: "command",
  summary: "A command that runs only when its guard says so: a path, a look, or inputs that changed.",
  schema,
  examples: [
    {
      title: "Make a file once",
      params: {
        name: "dh-parameters",
        argv: ["openssl", "dhparam", "-out", "/etc/ssl/dh.pem", "2048"],
        creates: "/etc/ssl/dh.pem",
        timeoutSeconds: 1800,
        detached: true,
      },
      // The same in a minute: numbers of this size, and safe in another way, are quick to find.
      trial: {
        instead: {
          name: "dh-parameters",
          argv: ["openssl", "dhparam", "-dsaparam", "-out", "/etc/ssl/dh.pem", "1024"],
          creates: "/etc/ssl/dh.pem",
          timeoutSeconds: 1800,
          detached: true,
        },
      },
    },
    {
      title: "Ask first",
      params: {
        name: "docs-group",
        argv: ["addgroup", "docs"],
        unless: ["getent", "group", "docs"],
      },
      trial: { spoil: [run("groupdel", "docs")] },
    },
    {
      title: "Again whenever its input changes",
      params: { name: "mail-aliases", argv: ["newaliases"], inputs: ["/etc/aliases"] },
      trial: {
        given: [
          { file: { path: "/etc/aliases", content: "postmaster: root\n" } },
          { file: { path: "/usr/local/bin/newaliases", content: "#!/bin/sh\n", mode: "0755" } },
        ],
      },
    },
  ],

  spoil({ creates, inputs = [] }) {
    const [input] = inputs;
    if (creates !== undefined) return [{ kind: "remove", path: creates }];
    return input === undefined ? undefined : [run("sh", "-c", 'echo "# spoiled" >> "$1"', "spoil", input)];
  },

  subject: ({ name }) => name,

  identity({ argv: [path = "", ...rest] }) {
    const program = path.replace(/.*\//, "");
    const isSystem = rest.some((word) => word === "--system" || word === "-r");
    if (isSystem && /^(adduser|useradd)$/.test(program)) return undefined;
    return personalPrograms.get(program) ?? personalPrograms.get(`${program} ${rest[0]}`);
  },

  async read(facts, params): Promise<State> {
    const { name, creates, unless, inputs = [] } = params;
    const [made, asked, stamp, digests] = await Promise.all([
      creates === undefined ? undefined : facts.stat(creates),
      unless && facts.query({ argv: whole(unless) }),
      inputs.length === 0 ? undefined : facts.file(stampFile(name)),
      Promise.all(inputs.map((path) => facts.digest(path))),
    ]);
    const seen = inputs.map((path, at) => `${digests[at] ?? "absent"}  ${path}\n`);
    return { isMade: made !== undefined, exit: asked?.code, stamp, seen: seen.join("") };
  },

  plan(params, { isMade, exit, stamp, seen }) {
    const { name, creates, unless, inputs } = params;
    // The stamp holds what was read before the run: an input that changes meanwhile is due again.
    const wanted = inputs && `${digestOf(JSON.stringify(commandOf(params)))}  command\n${seen}`;
    const guards = differences(
      { what: "creates", from: isMade ? creates : undefined, to: creates, actions: [] },
      { what: "unless", from: exit?.toString(), to: unless && "0", actions: [] },
      { what: "inputs", from: stamp, to: wanted, actions: [] },
    );
    const [due] = guards;
    if (!due) return [];
    const keep: readonly Action[] =
      wanted === undefined ? [] : [{ kind: "directory", path: STAMPS }, write(stampFile(name), wanted)];
    return [{ ...due, what: `${name} ${due.what}`, actions: [runOf(params), ...keep] }];
  },
});

/** What programs give a machine whose only work that is. A shell's script can do it all; `verify` looks at the result. */
const personalPrograms: ReadonlyMap<string, string> = new Map([
  ["adduser", "a user (one for a service is made with --system)"],
  ["useradd", "a user (one for a service is made with --system)"],
  ["hostname", "a host name"],
  ["hostnamectl", "a host name"],
  ["loginctl enable-linger", "a user whose services linger"],
  ["ssh-keygen", "an SSH key"],
  ["systemd-machine-id-setup", "the machine's id"],
]);

const STAMPS = "/var/lib/provision/stamps";

interface State {
  readonly isMade: boolean;
  /** Exit code of `unless`. */
  readonly exit: number | undefined;
  readonly stamp: string | undefined;
  /** The inputs as they are, a line each. */
  readonly seen: string;
}

function commandOf({ argv, directory, environment }: Params): Command {
  const placed = directory === undefined ? argv : ["env", "-C", directory, ...argv];
  return { argv: whole(placed), ...(environment && { env: environment }) };
}

function runOf(params: Params): Action {
  const { timeoutSeconds, detached = false } = params;
  const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
  return { kind: "run", command: commandOf(params), detached, ...(timeoutMs && { timeoutMs }) };
}

function stampFile(name: string): string {
  return `${STAMPS}/command-${name}`;
}

/** The schema wants one item or more; its type cannot say so. */
function whole(argv: readonly string[]): readonly [string, ...string[]] {
  const [program = "", ...rest] = argv;
  return [program, ...rest];
}
