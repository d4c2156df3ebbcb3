import { Type } from "../provisioner/core/schema.ts";
import {
  accountName,
  type Change,
  defineTask,
  differences,
  type GroupEntry,
  presentOrAbsent,
  run,
} from "../provisioner/core/task.ts";

/** A group of users, there or not. Who belongs to it is said by `user`. */
export const group = defineTask({
  name: "group",
  summary: "A group of users, there or not.",
  schema: Type.Object(
    {
      name: Type.String({ pattern: accountName, description: "Name of the group" }),
      gid: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 4294967294, description: "Number; left out: the next free one" }),
      ),
      system: Type.Optional(
        Type.Boolean({ default: false, description: "Take a number of the system's range when it is made" }),
      ),
      state: presentOrAbsent("Whether it is there"),
    },
    { additionalProperties: false },
  ),
  examples: [
    { title: "A group with a number that all hosts share", params: { name: "backup-readers", gid: 4000 } },
    {
      title: "Remove a group that is nobody's first one",
      params: { name: "former-team", state: "absent" },
      trial: { given: [{ group: { name: "former-team" } }] },
    },
  ],

  spoil: ({ name, state }) => [run(state === "absent" ? "groupadd" : "groupdel", name)],

  subject: ({ name }) => name,

  async read(facts, { name }): Promise<State> {
    return { entry: await facts.group(name) };
  },

  plan({ name, gid, system, state = "present" }, { entry }): readonly Change[] {
    if (state === "absent") {
      return differences({
        what: name,
        from: entry && "present",
        to: undefined,
        actions: [run("groupdel", name)],
      });
    }
    const number = gid === undefined ? [] : ["--gid", String(gid)];
    if (!entry) {
      const add = run("groupadd", ...(system ? ["--system"] : []), ...number, name);
      return [{ what: name, from: undefined, to: "present", actions: [add] }];
    }
    return differences({
      what: `${name} gid`,
      from: String(entry.gid),
      to: String(gid ?? entry.gid),
      actions: [run("groupmod", ...number, name)],
    });
  },
});

interface State {
  readonly entry: GroupEntry | undefined;
}
