import { ProvisionError } from "../../core/errors.ts";
import { defineCommand, helpEnd } from "../command.ts";
import { runSession } from "../session.ts";
import { table } from "../table.ts";

export const tasksCommand = defineCommand({
  declare(command) {
    command
      .description("Lists the tasks a spec can name, or shows what one takes, with examples.")
      .argument("[NAME]", "a task")
      .addHelpText("after", helpEnd(["provision tasks", "provision tasks sysctl"], [0, 2]));
  },
  act({ shell, flags, operands: [name] }) {
    return runSession({ shell, flags, command: "tasks", quiet: true }, async ({ result }) => {
      const [{ registry }, { pageText, taskPage }, { nearestName }] = await Promise.all([
        import("../compose.ts"),
        import("../task-page.ts"),
        import("../../spec/nearest-name.ts"),
      ]);
      if (name === undefined) {
        const rows = registry.map((task) => [task.name, task.summary]);
        result(
          table(["TASK", "SETTLES"], rows),
          registry.map((task) => ({ name: task.name, summary: task.summary })),
        );
        return "as-wanted";
      }
      const task = registry.find((candidate) => candidate.name === name);
      if (task === undefined) {
        const names = registry.map((candidate) => candidate.name);
        const nearest = nearestName(name, names);
        throw new ProvisionError("USAGE", {
          what: `Cannot show task "${name}": must be one of ${names.join(", ")}`,
          mend: nearest === undefined ? "Name one of them" : `Name "${nearest}"`,
        });
      }
      const page = taskPage(task);
      result(pageText(page), { ...page, schema: task.schema });
      return "as-wanted";
    });
  },
});
