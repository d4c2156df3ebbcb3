import { Type } from "../provisioner/core/schema.ts";
import { defineTask, differences, Refusal, run, write } from "../provisioner/core/task.ts";

/** A kernel setting, in the running kernel and across reboots. */
export const sysctl = defineTask({
  name: "sysctl",
  summary: "A kernel setting, in the running kernel and across reboots.",
  schema: Type.Object(
    {
      key: Type.String({
        pattern: "^[a-z][a-zA-Z0-9_-]*(\\.[a-zA-Z0-9_-]+)+$",
        description: "Setting, with dots: net.ipv4.ip_forward",
      }),
      value: Type.String({ pattern: "\\S", description: "Value, as `sysctl -n` prints it" }),
    },
    { additionalProperties: false },
  ),
  examples: [{ title: "Route packets", params: { key: "net.ipv4.ip_forward", value: "1" } }],

  subject: ({ key }) => key,

  owns: ({ key }) => [dropIn(key)],

  async read(facts, { key }): Promise<State> {
    const [running, stored, kernel] = await Promise.all([
      facts.sysctl(key),
      facts.file(dropIn(key)),
      facts.sysctl(ALWAYS_THERE),
    ]);
    const isRunning = kernel !== undefined;
    return { running: running === undefined ? undefined : normalise(running), stored, isRunning };
  },

  plan({ key, value }, state) {
    if (state.running === undefined && state.isRunning) {
      throw new Refusal(
        `the kernel does not know the setting "${key}"; put the kernel-module that brings it before this use, correct the name, or leave the use out (\`when\` does for one distribution)`,
      );
    }
    const wanted = normalise(value);
    const text = `${key} = ${wanted}\n`;
    const file = dropIn(key);
    return differences(
      // Stored first: if the next step fails, a reboot still lands on the wanted value.
      { what: file, from: state.stored, to: text, actions: [write(file, text)] },
      {
        what: key,
        from: state.running,
        to: wanted,
        // The kernel keeps some settings in step: ip_forward resets a whole tree, dirty_bytes clears dirty_ratio.
        actions: [{ ...run("sysctl", "-w", `${key}=${wanted}`), touches: ["sysctl", "query"] }],
      },
    );
  },
});

interface State {
  readonly running: string | undefined;
  readonly stored: string | undefined;
  /** False where there is no kernel yet: planned before there is a machine. */
  readonly isRunning: boolean;
}

/** A setting that every kernel has. */
const ALWAYS_THERE = "kernel.ostype";

function dropIn(key: string): string {
  return `/etc/sysctl.d/90-provision-${key}.conf`;
}

/** The kernel prints lists with tabs; specs are written with spaces. */
function normalise(value: string): string {
  return value.trim().split(/\s+/).join(" ");
}
