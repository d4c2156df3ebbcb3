import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import {
  absolutePath,
  atLeastOne,
  defineTask,
  type PinnedTool,
  Refusal,
  type ToolPin,
} from "../../provisioner/core/task.ts";
import { commandsOf } from "../scripts/tool-store/layout-table.ts";
import { lookAt, nothing, type PrefixState, readLook } from "../scripts/tool-store/look.ts";
import { pinFor } from "../scripts/tool-store/pin-for.ts";
import { planPresent, planRemoval, planTidying } from "../scripts/tool-store/plan-tool.ts";

const NAME = "^[a-z0-9][a-z0-9._+-]*$";

const schema = Type.Object(
  {
    name: Type.Optional(
      Type.String({ minLength: 1, description: "What the tools are for; left out: their names" }),
    ),
    names: Type.Optional(
      Type.Array(Type.String({ pattern: NAME, format: "tool" }), {
        minItems: 1,
        uniqueItems: true,
        description: "Tools of versions.yaml that are installed, in the version it pins",
      }),
    ),
    absent: Type.Optional(
      Type.Array(Type.String({ pattern: NAME }), {
        minItems: 1,
        uniqueItems: true,
        description: "Tools that are removed, with everything they brought",
      }),
    ),
    prefix: Type.Optional(
      Type.String({
        pattern: absolutePath,
        default: "/usr/local",
        description: "Where their bin, share and lib are; the versions lie below share/provision",
      }),
    ),
    replace: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Move files of others that are in the way to share/provision/replaced of the prefix",
      }),
    ),
    timeoutMinutes: Type.Optional(
      Type.Integer({ minimum: 1, default: 30, description: "How long it may take to unpack one tool" }),
    ),
  },
  { additionalProperties: false, ...atLeastOne("names", "absent") },
);

type Params = Static<typeof schema>;

/**
 * Programs that are no packages, by versions.yaml. Each version lies in a directory of its own, and links lead to
 * it through one that says which is in use: a new version is one rename, and no command is missing for a moment.
 */
export const tools = defineTask({
  name: "tools",
  summary: "Programs of versions.yaml, checked by their digests, in /usr/local or another prefix.",
  schema,
  examples: [
    { title: "Install tools, in the versions that versions.yaml pins", params: { names: ["go", "neovim"] } },
    {
      title: "Change from one to another, whatever is in the way",
      params: { name: "a finder", names: ["fzf"], absent: ["skim"], replace: true },
      trial: { given: [{ file: { path: "/usr/local/bin/fzf", content: "#!/bin/sh\n", mode: "0755" } }] },
    },
    { title: "Install beside the system", params: { names: ["jq"], prefix: "/opt/tools" } },
  ],

  subject: ({ name, names = [], absent = [], prefix = usual }) => {
    const words = name ?? [...names, ...absent.map((gone) => `no ${gone}`)].join(", ");
    return prefix === usual ? words : `${words} in ${prefix}`;
  },

  owns: ({ names = [], absent = [], prefix = usual }) =>
    [...new Set([...names, ...absent])].map((name) => `${prefix}/share/provision/store/${name}`),

  async read(facts, { names = [], absent = [], prefix = usual }): Promise<State> {
    const wanted = await Promise.all(names.map((name) => facts.tool(name)));
    return { wanted, found: readLook(await facts.query(lookAt(prefix, wanted, absent))) };
  },

  plan(params, { wanted, found }) {
    const { absent = [], prefix = usual, replace = false, timeoutMinutes = 30 } = params;
    const at = { prefix, replace, timeoutMs: timeoutMinutes * 60_000 };
    refuseContradictions(params);
    const pins = wanted.map((tool) => pinFor(tool, found.machine));
    refuseClashes(pins);
    const of = (name: string) => found.tools.get(name) ?? nothing;
    // What goes first may make room for what comes.
    const changes = [
      ...absent.flatMap((name) => planRemoval(name, of(name), at)),
      ...pins.flatMap((pin) => planPresent(pin, of(pin.name), at)),
    ];
    return changes.length === 0 && found.leftovers ? [planTidying(at)] : changes;
  },
});

const usual = "/usr/local";

interface State {
  readonly wanted: readonly PinnedTool[];
  readonly found: PrefixState;
}

function refuseContradictions({ names = [], absent = [] }: Params): void {
  const twice = names.find((name) => absent.includes(name));
  if (twice !== undefined)
    throw new Refusal(`"${twice}" must be in names or in absent, is in both; take it out of one`);
}

function refuseClashes(pins: readonly ToolPin[]): void {
  const owners = new Map<string, string>();
  for (const pin of pins) {
    for (const command of commandsOf(pin)) {
      const other = owners.get(command);
      if (other !== undefined)
        throw new Refusal(`"${command}" is a command of ${other} and of ${pin.name}; leave one of them out`);
      owners.set(command, pin.name);
    }
  }
}
