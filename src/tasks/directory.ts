import { Type } from "../provisioner/core/schema.ts";
import {
  absolutePath,
  accountName,
  attributeDifferences,
  defineTask,
  type FileStat,
  Refusal,
} from "../provisioner/core/task.ts";

/**
 * A directory, with its parents. One that is there keeps the mode and owner that are not given, so that a
 * short `path: /tmp` does not take its sticky bit away.
 */
export const directory = defineTask({
  name: "directory",
  summary: "A directory with its mode and owner; parents are made with it.",
  schema: Type.Object(
    {
      path: Type.String({ pattern: absolutePath, description: "Where the directory is" }),
      mode: Type.Optional(
        Type.String({
          pattern: "^[0-7]{4}$",
          description: 'Four octal digits, as text; left out: "0755" when it is made, else kept',
        }),
      ),
      owner: Type.Optional(
        Type.String({
          pattern: accountName,
          description: "Owner, by name; left out: root when it is made, else kept",
        }),
      ),
      group: Type.Optional(
        Type.String({
          pattern: accountName,
          description: "Group, by name; left out: root when it is made, else kept",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  examples: [
    { title: "Make a directory", params: { path: "/srv/www" } },
    {
      title: "One that only its group can read",
      params: { path: "/var/log/app", mode: "0750", group: "adm" },
    },
  ],

  subject: ({ path }) => path,

  owns: ({ path }) => [path],

  async read(facts, { path }): Promise<State> {
    return { stat: await facts.stat(path) };
  },

  plan({ path, ...given }, { stat }) {
    if (!stat) {
      const { mode = "0755", owner = "root", group = "root" } = given;
      const action = { kind: "directory", path, mode, owner, group } as const;
      return [{ what: path, from: undefined, to: "directory", actions: [action] }];
    }
    if (stat.type === "symlink") {
      throw new Refusal(`"${path}" must be a directory, is a link to "${stat.target}"; name that path`);
    }
    if (stat.type !== "directory") {
      const found = stat.type === "other" ? "device, socket or pipe" : stat.type;
      throw new Refusal(`"${path}" must be a directory or absent, is a ${found}; remove it first`);
    }
    return attributeDifferences(path, given, stat);
  },
});

interface State {
  readonly stat: FileStat | undefined;
}
