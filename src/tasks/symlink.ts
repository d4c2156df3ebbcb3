import { Type } from "../provisioner/core/schema.ts";
import { absolutePath, defineTask, differences, type FileStat, Refusal } from "../provisioner/core/task.ts";

/** A symbolic link. Where it points need not exist. A directory in its place is never replaced. */
export const symlink = defineTask({
  name: "symlink",
  summary: "A symbolic link.",
  schema: Type.Object(
    {
      path: Type.String({
        pattern: absolutePath,
        description: "Where the link is; its directory must exist",
      }),
      target: Type.String({
        pattern: "^[^\\u0000\\r\\n]+$",
        description: "Where it points, as written into it: absolute, or relative to its own directory",
      }),
      replaceFile: Type.Optional(
        Type.Boolean({ default: false, description: "Put the link in the place of a regular file" }),
      ),
    },
    { additionalProperties: false },
  ),
  examples: [
    {
      title: "Resolve names by systemd-resolved",
      params: {
        path: "/etc/resolv.conf",
        target: "../run/systemd/resolve/stub-resolv.conf",
        replaceFile: true,
      },
    },
    { title: "A short name", params: { path: "/usr/local/bin/vi", target: "/usr/bin/nvim" } },
  ],

  subject: ({ path }) => path,

  owns: ({ path }) => [path],

  async read(facts, { path }): Promise<State> {
    return { stat: await facts.stat(path) };
  },

  plan({ path, target, replaceFile }, { stat }) {
    const isReplaceable = !stat || stat.type === "symlink" || (stat.type === "file" && replaceFile);
    if (!isReplaceable) {
      const found = stat.type === "other" ? "device, socket or pipe" : stat.type;
      const wayOut = stat.type === "file" ? "say replaceFile: true" : "remove it first";
      throw new Refusal(`"${path}" must be a link or absent, is a ${found}; ${wayOut}`);
    }
    return differences({
      what: path,
      from: stat && (stat.type === "symlink" ? `link to ${stat.target}` : stat.type),
      to: `link to ${target}`,
      actions: [{ kind: "symlink", path, target }],
    });
  },
});

interface State {
  readonly stat: FileStat | undefined;
}
