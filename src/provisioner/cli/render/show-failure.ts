import { readFailure } from "../failure.ts";
import type { Shell } from "../shell.ts";
import { errorLines } from "./error.ts";
import { jsonRenderer } from "./json.ts";
import { chooseStyle } from "./style.ts";

/** Shows what was thrown before any run was open, and gives what the shell gets. */
export function showFailure(
  error: unknown,
  shell: Pick<Shell, "stdout" | "stderr" | "env">,
  args: readonly string[],
): number {
  const { event, exitCode } = readFailure(error);
  if (args.includes("--json")) {
    jsonRenderer((text) => shell.stdout.write(text)).report(event);
    return exitCode;
  }
  const style = chooseStyle(shell.stderr, shell.env, !args.includes("--no-color"));
  shell.stderr.write(`${errorLines(event, style).join("\n")}\n`);
  return exitCode;
}
