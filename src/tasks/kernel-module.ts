import type { Static } from "typebox";

import { Type } from "../provisioner/core/schema.ts";
import { type Change, defineTask, differences, run, write } from "../provisioner/core/task.ts";

const schema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9_-]*$",
      description: "Module, as modprobe takes it",
    }),
    state: Type.Optional(
      Type.Union([Type.Literal("loaded"), Type.Literal("at-boot"), Type.Literal("blacklisted")], {
        default: "loaded",
        description:
          "loaded: now and at each boot; at-boot: from the next boot on; blacklisted: not by itself from the next boot on",
      }),
    ),
    options: Type.Optional(
      Type.String({
        pattern: "^[^\\u0000-\\u001f\\u007f]*\\S[^\\u0000-\\u001f\\u007f]*$",
        description: "Parameters for whenever it is loaded next: nested=1",
      }),
    ),
  },
  { additionalProperties: false },
);

/** A module of the kernel: loaded, or kept away. What is loaded already keeps its options until it is loaded anew. */
export const kernelModule = defineTask({
  name: "kernel-module",
  summary: "A module of the kernel: loaded now and at boot, with options, or blacklisted.",
  schema,
  examples: [
    { title: "Layered file systems", params: { name: "overlay" } },
    { title: "With an option", params: { name: "kvm_intel", state: "at-boot", options: "nested=1" } },
    { title: "Keep a driver away", params: { name: "nouveau", state: "blacklisted" } },
  ],

  subject: ({ name }) => canonical(name),

  owns: ({ name }) => [loadFile(name), settingsFile(name)],

  async read(facts, { name, state = "loaded" }): Promise<State> {
    const [isLoaded, load, settings] = await Promise.all([
      // Not asked where it does not matter: a machine without modules of its own cannot tell.
      state === "loaded" && facts.module(canonical(name)),
      facts.file(loadFile(name)),
      facts.file(settingsFile(name)),
    ]);
    return { isLoaded, load, settings };
  },

  plan(params, state) {
    const { name, state: wanted = "loaded" } = params;
    const isWanted = wanted !== "blacklisted";
    return differences(
      // Settings first: what is loaded below shall have them.
      planFile(settingsFile(name), state.settings, settingsText(params)),
      planFile(loadFile(name), state.load, isWanted ? `${name}\n` : undefined),
      {
        what: name,
        from: state.isLoaded ? "loaded" : undefined,
        to: state.isLoaded || wanted === "loaded" ? "loaded" : undefined,
        actions: [run("modprobe", name)],
      },
    );
  },
});

interface State {
  readonly isLoaded: boolean;
  readonly load: string | undefined;
  readonly settings: string | undefined;
}

function planFile(path: string, from: string | undefined, to: string | undefined): Change {
  return { what: path, from, to, actions: [to === undefined ? { kind: "remove", path } : write(path, to)] };
}

function settingsText({ name, state, options }: Static<typeof schema>): string | undefined {
  const lines = [
    ...(options === undefined ? [] : [`options ${name} ${options.trim()}\n`]),
    ...(state === "blacklisted" ? [`blacklist ${name}\n`] : []),
  ];
  return lines.length === 0 ? undefined : lines.join("");
}

function loadFile(name: string): string {
  return `/etc/modules-load.d/provision-${canonical(name)}.conf`;
}

function settingsFile(name: string): string {
  return `/etc/modprobe.d/provision-${canonical(name)}.conf`;
}

/** The kernel knows modules by underscores, whatever their files are called. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}
