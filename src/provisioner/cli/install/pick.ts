import { ProvisionError } from "../../core/errors.ts";
import type { Shell } from "../shell.ts";
import type { PlannedTool } from "./plan.ts";
import { installedVersion, stateWords } from "./state-words.ts";

/** A line of the picker. */
export interface Choice {
  readonly value: string;
  readonly name: string;
  readonly checked: boolean;
  /** Shown, and not to be picked. */
  readonly disabled: boolean | string;
}

/**
 * The lines of the picker. What is installed and waits to be renewed is picked already; what is missing only on a
 * prefix that has nothing yet: later on, somebody has left it out before.
 */
export function choicesOf(tools: readonly PlannedTool[]): readonly Choice[] {
  const isFirst = tools.every(({ state }) => state.kind === "absent");
  const width = Math.max(...tools.map(({ pin }) => pin.name.length));
  const versions = Math.max(...tools.map(({ pin }) => pin.version.length));
  return tools.map(({ pin: { name, version }, state }) => {
    const installed = installedVersion(state, version);
    const words =
      state.kind === "other"
        ? `${installed} installed, ${stateWords(state, version)}`
        : stateWords(state, version);
    return {
      value: name,
      name: `${name.padEnd(width)}  ${version.padEnd(versions)}  ${words}`,
      checked: state.kind === "absent" ? isFirst : state.kind !== "as-wanted",
      disabled: state.kind === "as-wanted" ? " " : false,
    };
  });
}

/** Lets a person pick tools on the terminal; USAGE where there is none to ask on. */
export async function pickTools(shell: Shell, tools: readonly PlannedTool[]): Promise<readonly string[]> {
  const terminal = shell.terminal();
  if (terminal?.keyboard === undefined)
    throw new ProvisionError("USAGE", {
      what: "Cannot ask which tools to install: there is no terminal",
      mend: "Name them, or add --yes (or AUTOMATIC=1) for all of them",
    });
  const { default: checkbox } = await import("@inquirer/checkbox");
  try {
    return await checkbox(
      { message: "Tools to install", choices: choicesOf(tools), pageSize: 20, loop: false },
      { input: terminal.keyboard, output: terminal.screen, signal: shell.signal },
    );
  } catch (error) {
    // Ctrl-C is a key to the picker, not a signal.
    if (error instanceof Error && /^(ExitPromptError|AbortPromptError)$/.test(error.name))
      throw new ProvisionError("STOPPED", { left: "nothing was begun" }, { cause: error });
    throw error;
  }
}
