import { Type } from "../provisioner/core/schema.ts";
import { defineTask, differences, run, write } from "../provisioner/core/task.ts";

/** The machine's time zone: the link that libc follows, and the name that Debian keeps beside it. */
export const timezone = defineTask({
  name: "timezone",
  summary: "The machine's time zone.",
  schema: Type.Object(
    {
      name: Type.String({
        pattern: "^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        description: "Name in the tz database: Europe/Berlin, Etc/UTC (the target needs package tzdata)",
      }),
    },
    { additionalProperties: false },
  ),
  examples: [
    {
      title: "Universal time",
      params: { name: "Etc/UTC" },
      trial: { given: [{ apt: { present: ["tzdata"] } }] },
    },
  ],

  subject: () => "machine",

  owns: () => [LINK, NAME],

  async read(facts): Promise<State> {
    const [link, name] = await Promise.all([facts.stat(LINK), facts.file(NAME)]);
    return { link: link && (link.target ?? link.type), name };
  },

  plan({ name }, state) {
    const zone = `${ZONES}${name}`;
    // timedatectl writes the same link with `../`.
    const isLinked = state.link === zone || state.link === `..${zone}`;
    return differences(
      {
        what: LINK,
        from: isLinked ? zone : state.link,
        to: zone,
        // Looked up first: libc takes a link to nowhere for UTC without a word.
        actions: [run("ls", zone), { kind: "symlink", path: LINK, target: zone }],
      },
      { what: NAME, from: state.name, to: `${name}\n`, actions: [write(NAME, `${name}\n`)] },
    );
  },
});

const LINK = "/etc/localtime";
const NAME = "/etc/timezone";
const ZONES = "/usr/share/zoneinfo/";

interface State {
  readonly link: string | undefined;
  readonly name: string | undefined;
}
