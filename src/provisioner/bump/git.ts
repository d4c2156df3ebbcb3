import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";

/** What git gets besides its arguments. */
interface GitOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs git in one folder and gives what it prints. */
export interface Git {
  (args: readonly string[], options?: GitOptions): Promise<string>;
  /** The same, with `undefined` when git says no. */
  maybe(args: readonly string[]): Promise<string | undefined>;
}

/** git(1) in a folder; it never asks for anything, and never writes an index to make the next look faster. */
export function openGit(folder: string, run: Run): Git {
  const git = async (args: readonly string[], { input, env }: GitOptions = {}) => {
    try {
      return await program(["git", "--no-optional-locks", ...args], {
        run,
        cwd: folder,
        env: { GIT_TERMINAL_PROMPT: "0", ...env },
        ...(input !== undefined && { input }),
      });
    } catch (error) {
      if (!isProgramFailure(error)) throw error;
      // A remote's URL may hold a password, and git repeats it.
      const facts = { ...error.facts, tail: error.facts.tail.replaceAll(/\/\/[^/@\s]+@/g, "//") };
      throw new ProvisionError("PROGRAM_FAILED", facts);
    }
  };
  const maybe = async (args: readonly string[]) => {
    try {
      return await git(args);
    } catch (error) {
      if (isProgramFailure(error)) return undefined;
      throw error;
    }
  };
  return Object.assign(git, { maybe });
}

function isProgramFailure(error: unknown): error is ProvisionError<"PROGRAM_FAILED"> {
  return error instanceof ProvisionError && error.code === "PROGRAM_FAILED";
}
