import { Type } from "../provisioner/core/schema.ts";
import { absolutePath, defineTask, type FileStat, Refusal } from "../provisioner/core/task.ts";

/** A path at which nothing is. A directory goes only when that is said, and none that stands right below `/`. */
export const absent = defineTask({
  name: "absent",
  summary: "A path at which nothing is: a file or link is removed, a directory when that is said.",
  schema: Type.Object(
    {
      path: Type.String({ pattern: absolutePath, description: "What must not be there" }),
      recursive: Type.Optional(
        Type.Boolean({ default: false, description: "Remove a directory too, with all it holds" }),
      ),
    },
    { additionalProperties: false },
  ),
  examples: [
    { title: "Remove a file", params: { path: "/etc/update-motd.d/10-uname" } },
    {
      title: "Remove a directory and what it holds",
      params: { path: "/var/www/html", recursive: true },
      trial: { given: [{ directory: { path: "/var/www/html/images" } }] },
    },
  ],

  subject: ({ path }) => path,

  owns: ({ path }) => [path],
  takesAway: true,

  async read(facts, { path }): Promise<State> {
    return { stat: await facts.stat(path) };
  },

  plan({ path, recursive }, { stat }) {
    if (!stat) return [];
    if (stat.type === "directory" && !recursive) {
      throw new Refusal(`"${path}" is a directory; say recursive: true to remove it with all it holds`);
    }
    if (stat.type === "directory" && path.lastIndexOf("/") === 0) {
      throw new Refusal(`"${path}" is a directory right below the root; remove what is in it instead`);
    }
    return [{ what: path, from: stat.type, to: undefined, actions: [{ kind: "remove", path }] }];
  },
});

interface State {
  readonly stat: FileStat | undefined;
}
