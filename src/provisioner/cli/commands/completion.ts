import { Argument } from "commander";

import { completionScript, shells } from "../completion-script.ts";
import type { CompletionShell } from "../completion-script.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { findProject } from "../project.ts";
import { runSession } from "../session.ts";

export const completion = defineCommand({
  declare(command) {
    command
      .description("Prints a completion script: commands, flags and the names of specs and hosts.")
      .addArgument(new Argument("<SHELL>", "the shell it is for").choices(shells))
      .addHelpText(
        "after",
        helpEnd(
          [
            "provision completion bash > /etc/bash_completion.d/provision",
            "provision completion fish > ~/.config/fish/completions/provision.fish",
          ],
          [0, 2],
        ),
      );
  },
  act({ shell, flags, operands: [name] }) {
    return runSession({ shell, flags, command: "completion", quiet: true }, async ({ result }) => {
      const { buildProgram } = await import("../program.ts");
      const script = completionScript(
        name as CompletionShell,
        await buildProgram(shell, () => true),
        findProject(shell),
      );
      result(script, { shell: name, script });
      return "as-wanted";
    });
  },
});
