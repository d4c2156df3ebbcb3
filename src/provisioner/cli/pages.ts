import type { Command } from "commander";

import type { Task } from "../core/task.ts";
import { manifestSchema } from "../pins/manifest.ts";
import { editorSchema, hostEditorSchema } from "../spec/editor-schema.ts";
import { contractPage } from "./contract-page.ts";
import { hostsPage } from "./hosts-page.ts";
import { pageMarkdown, taskPage } from "./task-page.ts";
import { versionsPage } from "./versions-page.ts";

const made = "<!-- Made by `npm run docs`; what stands here is read from the sources. -->";

/** Every generated file of the project, by its path from the root. */
export function generatedPages(program: Command, tasks: readonly Task[]): ReadonlyMap<string, string> {
  return new Map([
    ["src/tasks/README.md", tasksPage(tasks)],
    ["docs/commands/README.md", commandsPage(program)],
    ["docs/image-contract.md", `${made}\n\n${contractPage()}`],
    ["docs/hosts.md", `${made}\n\n${hostsPage()}`],
    ["docs/versions.md", `${made}\n\n${versionsPage()}`],
    [
      "schema/versions.schema.json",
      `${JSON.stringify({ title: "Pins of provision", ...manifestSchema }, null, 2)}\n`,
    ],
    ["schema/image-spec.schema.json", `${JSON.stringify(editorSchema(tasks), null, 2)}\n`],
    ["schema/host.schema.json", `${JSON.stringify(hostEditorSchema(tasks), null, 2)}\n`],
  ]);
}

function tasksPage(tasks: readonly Task[]): string {
  const list = tasks.map(({ name, summary }) => `- [${name}](#${name}): ${summary}`);
  return `${[
    made,
    "",
    "# Tasks",
    "",
    "What a spec can name. Each entry under `tasks` is one task with its parameters; `note` beside it is for readers.",
    "",
    ...list,
    "",
    ...tasks.map((task) => pageMarkdown(taskPage(task))),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function commandsPage(program: Command): string {
  const visible = program.createHelp().visibleCommands(program);
  const commands = visible.filter((command) => command.name() !== "help");
  return `${[
    made,
    "",
    "# Commands",
    "",
    fenced(helpOf(program)),
    ...commands.flatMap((command) => ["", `## provision ${command.name()}`, "", fenced(helpOf(command))]),
  ].join("\n")}\n`;
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

/** Help as it is printed, at one width on every machine. */
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}
