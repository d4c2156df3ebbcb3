import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { accountName, presentOrAbsent } from "../../provisioner/core/task.ts";

const word = Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f]+$" });

const words = (description: string) => Type.Optional(Type.Array(word, { uniqueItems: true, description }));

const byPattern = (what: string) =>
  Type.Optional(
    Type.Record(word, word, {
      additionalProperties: false,
      description: `Labels by ${what}: a regular expression, and the label`,
    }),
  );

const flag = (value: boolean, description: string) =>
  Type.Optional(Type.Boolean({ default: value, description }));

const log = Type.Object(
  {
    sizeBytes: Type.Optional(
      Type.Integer({ minimum: 10_000, default: 5_000_000, description: "Size at which a new file is begun" }),
    ),
    generations: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: 10, description: "How many old files are kept" }),
    ),
    readUsers: Type.Optional(
      Type.Array(Type.String({ pattern: accountName }), {
        uniqueItems: true,
        description: "Users who may read it, beside laurel's own; they must be there",
      }),
    ),
    linePrefix: Type.Optional(
      Type.String({
        pattern: "^[^\\u0000-\\u001f\\u007f]+$",
        description: "What each line begins with: @cee: ",
      }),
    ),
  },
  { additionalProperties: false, description: "The log, /var/log/laurel/audit.log" },
);

const transform = Type.Object(
  {
    arguments: Type.Optional(
      Type.Union([Type.Literal("list"), Type.Literal("text"), Type.Literal("both")], {
        default: "list",
        description: "How arguments of programs are told: ARGV, a list; ARGV_STR, a text; or both",
      }),
    ),
    argumentsLimitBytes: Type.Optional(
      Type.Integer({
        minimum: 100,
        description: "Length at which arguments are cut in the middle; left out: never",
      }),
    ),
    names: flag(true, "Names of system calls, architectures and addresses beside their numbers"),
    users: flag(true, "Names of users and groups beside their numbers"),
    dropNumbers: flag(false, "No numbers where there are names"),
  },
  { additionalProperties: false, description: "What becomes of the fields that the kernel gives" },
);

const enrich = Type.Object(
  {
    processes: flag(true, "Program and parent of each process number"),
    scripts: flag(true, "The script that an interpreter runs"),
    containers: flag(true, "The container that a process is in"),
    units: flag(true, "The systemd unit that a process is of"),
    environment: words("Variables of each program that are told; left out: LD_PRELOAD, LD_LIBRARY_PATH"),
  },
  { additionalProperties: false, description: "What is added to an event" },
);

const labels = Type.Object(
  {
    keys: words("Keys of audit rules that become labels of the process; left out: software_mgmt"),
    programs: byPattern("the path of the program"),
    arguments: byPattern("the command line"),
    scripts: byPattern("the path of the script"),
    inherited: words("Labels that what a process starts has too; left out: software_mgmt"),
  },
  { additionalProperties: false, description: "Labels of processes, which their events bear" },
);

const filter = Type.Object(
  {
    keys: words("Events with these keys of audit rules are dropped"),
    labels: words("Events of processes with these labels are dropped"),
    withoutKey: flag(false, "Events without a key are dropped"),
  },
  { additionalProperties: false, description: "What is left out of the log" },
);

/** What a use may say. */
export const schema = Type.Object(
  {
    log: Type.Optional(log),
    transform: Type.Optional(transform),
    enrich: Type.Optional(enrich),
    labels: Type.Optional(labels),
    filter: Type.Optional(filter),
    rules: Type.Optional(
      Type.Array(Type.String({ pattern: "^-[^\\u0000-\\u001f\\u007f]+$" }), {
        minItems: 1,
        description:
          "Audit rules as auditctl(8) has them, after those that are there; left out: none of its own",
      }),
    ),
    state: presentOrAbsent(
      "absent: auditd starts no laurel, and the rules of this use are gone; auditd goes on",
    ),
  },
  { additionalProperties: false },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;
