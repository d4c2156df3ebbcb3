import { Type } from "../provisioner/core/schema.ts";
import { type Command, defineTask, differences, write } from "../provisioner/core/task.ts";

/** Files and directories that systemd-tmpfiles makes, cleans or removes: now and at each boot. */
export const tmpfiles = defineTask({
  name: "tmpfiles",
  summary: "Files and directories that systemd-tmpfiles makes now and at each boot.",
  schema: Type.Object(
    {
      name: Type.String({
        pattern: "^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
        description: "Name of the drop-in: /etc/tmpfiles.d/<name>.conf",
      }),
      content: Type.String({ pattern: "\\S", description: "Lines as in tmpfiles.d(5)" }),
    },
    { additionalProperties: false },
  ),
  examples: [
    {
      title: "A directory that a service needs on a memory file system",
      params: { name: "app", content: "d /run/app 0750 root adm -\n" },
    },
  ],

  subject: ({ name }) => name,

  owns: ({ name }) => [dropIn(name)],

  async read(facts, { name }): Promise<State> {
    return { stored: await facts.file(dropIn(name)) };
  },

  plan({ name, content }, { stored }) {
    const path = dropIn(name);
    // Made first, from the text: the drop-in stands only once its lines have worked.
    const make: Command = { argv: ["systemd-tmpfiles", "--create", "-"], stdin: content };
    return differences({
      what: path,
      from: stored,
      to: content,
      actions: [{ kind: "run", command: make }, write(path, content)],
    });
  },
});

interface State {
  readonly stored: string | undefined;
}

function dropIn(name: string): string {
  return `/etc/tmpfiles.d/${name}.conf`;
}
