import { Type } from "../provisioner/core/schema.ts";
import {
  type Action,
  defineTask,
  differences,
  digestOf,
  exactlyOne,
  Refusal,
  run,
  type RunAction,
  write,
} from "../provisioner/core/task.ts";

const schema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9_-]*(\\.[a-zA-Z0-9_-]+)*$",
      description: "Name of its file in /etc/apparmor.d",
    }),
    profile: Type.Optional(
      Type.String({
        pattern: "^[^\\s\\u0000-\\u001f\\u007f]+$",
        description: "Name of the profile in it, as the kernel lists it; left out: the file's",
      }),
    ),
    content: Type.Optional(Type.String({ pattern: "\\S", description: "Text of the file" })),
    template: Type.Optional(
      Type.String({ format: "template", description: "Its text as a template in templates/, without .hbs" }),
    ),
    variables: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: "What the template's names stand for" }),
    ),
    onlyWhereRestricted: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          "Nothing to do where any program may make user namespaces (kernel.apparmor_restrict_unprivileged_userns is not 1)",
      }),
    ),
  },
  {
    additionalProperties: false,
    ...exactlyOne("content", "template"),
    dependentRequired: { variables: ["template"] },
  },
);

/**
 * A profile that the kernel has loaded. The parser reads the text before anything is in place, so that one with a
 * mistake changes nothing. Whether the kernel has this text cannot be asked: a stamp holds what was loaded last.
 */
export const apparmor = defineTask({
  name: "apparmor",
  summary:
    "An AppArmor profile, in its file and in the kernel; nothing to do where the kernel has no AppArmor.",
  schema,
  examples: [
    {
      title: "Confine a service",
      params: {
        name: "usr.local.bin.exporter",
        profile: "/usr/local/bin/exporter",
        content:
          "include <tunables/global>\n/usr/local/bin/exporter {\n  include <abstractions/base>\n  @{PROC}/** r,\n}\n",
      },
    },
    {
      title: "Let a program make user namespaces where only some may",
      params: {
        name: "usr.local.bin.rootlesskit",
        template: "apparmor/rootlesskit",
        variables: { profile: "usr.local.bin.rootlesskit", program: "/usr/local/bin/rootlesskit" },
        onlyWhereRestricted: true,
      },
    },
  ],

  subject: ({ name }) => name,

  owns: ({ name }) => [fileOf(name)],

  async read(facts, params): Promise<State> {
    const { name, profile = name, content, template, variables = {}, onlyWhereRestricted } = params;
    const [wanted, text, stamp, kernel, restricted] = await Promise.all([
      template === undefined ? content : facts.template(template, variables),
      facts.file(fileOf(name)),
      facts.file(stampFile(name)),
      facts.query({ argv: ["cat", SWITCH, LOADED] }),
      onlyWhereRestricted ? facts.sysctl("kernel.apparmor_restrict_unprivileged_userns") : undefined,
    ]);
    if (wanted === undefined) throw new Refusal("must have content or template, has none");
    const [first, ...loaded] = kernel.stdout.split("\n");
    return {
      wanted,
      text,
      stamp,
      // Where there is no machine to ask yet, it will have one like any other.
      hasAppArmor: first === "Y" || kernel.code === 127,
      isLoaded: loaded.some((line) => line.startsWith(`${profile} (`)),
      isRestricted: restricted?.trim() === "1",
    };
  },

  plan({ name, profile = name, onlyWhereRestricted }, state) {
    const { wanted, text, stamp, isLoaded } = state;
    if (!state.hasAppArmor || (onlyWhereRestricted && !state.isRestricted)) return [];
    const path = fileOf(name);
    const digest = `${digestOf(wanted)}\n`;
    const load: readonly Action[] = [
      {
        ...run("apparmor_parser", "--replace", "--skip-read-cache", "--write-cache", path),
        touches: ["query"],
      },
      { kind: "directory", path: STAMPS },
      write(stampFile(name), digest),
    ];
    if (text !== wanted) {
      return [{ what: path, from: text, to: wanted, actions: [check(wanted), write(path, wanted), ...load] }];
    }
    return differences({
      what: `${profile} in the kernel`,
      from: isLoaded ? (stamp === digest ? "current" : "older") : undefined,
      to: "current",
      actions: load,
    });
  },
});

/** Whether the kernel's AppArmor is on: Y or N. */
const SWITCH = "/sys/module/apparmor/parameters/enabled";
/** A line for each profile: `rootlesskit (unconfined)`. */
const LOADED = "/sys/kernel/security/apparmor/profiles";
const STAMPS = "/var/lib/provision/stamps";

interface State {
  readonly wanted: string;
  readonly text: string | undefined;
  /** The digest of what was loaded last. */
  readonly stamp: string | undefined;
  readonly hasAppArmor: boolean;
  readonly isLoaded: boolean;
  readonly isRestricted: boolean;
}

/** Reads the text as if to load it, and loads nothing. */
function check(text: string): RunAction {
  const argv = ["apparmor_parser", "--skip-kernel-load", "--skip-cache"] as const;
  return { kind: "run", command: { argv, stdin: text }, touches: [] };
}

function fileOf(name: string): string {
  return `/etc/apparmor.d/${name}`;
}

function stampFile(name: string): string {
  return `${STAMPS}/apparmor-${name}`;
}
