import type { Command } from "commander";

import { exitMeanings } from "./exit-code.ts";
import type { Shell } from "./shell.ts";

/** What the command line said, after commander has read it. */
export interface Invocation<Flags = CommonFlags> {
  readonly shell: Shell;
  readonly flags: Flags;
  /** Arguments that are no flags. */
  readonly operands: readonly string[];
}

/** Flags every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly log?: string;
  readonly color: boolean;
}

/** Flags of commands that change something. */
export interface ChangeFlags {
  readonly check?: boolean;
  readonly diff?: boolean;
}

/** Flags of commands that bring tools to a machine. */
export interface DirectFlags {
  readonly direct?: boolean;
}

/** `--direct`, as those commands declare it. */
export const directOption = [
  "--direct",
  "let the machine download tools by itself; it checks their digests, and archives are not looked into before",
] as const;

/** Declares what the flags may say about how a machine is logged in to. */
export function addLoginOptions(command: Command): void {
  command
    .option("--identity <file>", "log in with this key alone")
    .option("--known-hosts <file>", "look for its host key in this file alone")
    .option("--sudo-password-file <file>", "password of sudo, in a file")
    .option("--ask-sudo-password", "ask for the password of sudo");
}

/** One command: what it takes, and what it does. Its file is read only when it is named. */
export interface CliCommand {
  declare(command: Command): void;
  /** Gives what the shell gets. */
  act(invocation: Invocation<never>): Promise<number>;
}

/** Ties the type of a command's flags to its function. */
export function defineCommand<Flags>(command: {
  declare(command: Command): void;
  act(invocation: Invocation<Flags & CommonFlags>): Promise<number>;
}): CliCommand {
  return command;
}

/** The end of a command's help: examples, and the numbers it can end with. */
export function helpEnd(examples: readonly string[], exits: readonly number[]): string {
  const lines = ["", "Examples:", ...examples.map((example) => `  ${example}`)];
  return [...lines, ...exitLines(exits)].join("\n");
}

/** What each number means, one a line. */
export function exitLines(exits: Iterable<number>): readonly string[] {
  const lines = [...exits].map((exit) => `  ${String(exit).padStart(3)}  ${exitMeanings.get(exit) ?? ""}`);
  return ["", "Exit:", ...lines];
}
