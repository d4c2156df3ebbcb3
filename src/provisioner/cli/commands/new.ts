import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { packageRoot } from "../project.ts";
import { runSession } from "../session.ts";

export const newCommand = defineCommand({
  declare(command) {
    command
      .description(
        "Writes the beginning of a task into these sources: a module that works, its test, a fixture for both, its entry " +
          "in src/tasks/index.ts and its page. It passes `npm run check` as it is; then make it yours.",
      )
      .argument("<KIND>", "what to begin: task")
      .argument("<NAME>", "the thing it settles: a noun of lower-case letters and hyphens")
      .addHelpText("after", helpEnd(["provision new task clock-source"], [0, 2, 5, 130]));
  },
  act({ shell, flags, operands: [kind = "", name = ""] }) {
    return runSession(
      { shell, flags, command: `new ${kind} ${name}`, quiet: true },
      async ({ run, result }) => {
        if (kind !== "task") {
          throw new ProvisionError("USAGE", {
            what: `Cannot begin a new "${kind}": must be task`,
            mend: "Use `provision new task NAME`",
          });
        }
        const [{ makeTask }, { program }] = await Promise.all([
          import("../new-task/make-task.ts"),
          import("../../local/program.ts"),
        ]);
        const root = packageRoot();
        const files = await makeTask(name, root);
        // Only a new process knows the new task.
        await program(["npm", "run", "docs"], { run, cwd: root });
        result(
          [
            ...files.map((path) => `written: ${path}`),
            "",
            "Next:",
            `  npx vitest run test/tasks/${name}.test.ts   its test`,
            `  ./provision test ${name}   prove it on a scratch machine`,
            "  CONTRIBUTING.md   how to go on, in six steps",
          ].join("\n"),
          { name, files },
        );
        return "as-wanted";
      },
    );
  },
});
