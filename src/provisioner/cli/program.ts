import { Command, CommanderError, Option } from "commander";

import { ProvisionError } from "../core/errors.ts";
import { exitLines } from "./command.ts";
import type { CliCommand, CommonFlags } from "./command.ts";
import { exitMeanings, exitUsage } from "./exit-code.ts";
import { packageVersion } from "./package-version.ts";
import type { Shell } from "./shell.ts";

/** A command as `--help` lists it; its file is read when it is named. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  load(): Promise<CliCommand>;
}

/** Every command, in the order of `--help`. */
const entries: readonly Entry[] = [
  {
    name: "build",
    summary: "build a golden image from a spec",
    load: async () => (await import("./commands/build.ts")).build,
  },
  {
    name: "verify",
    summary: "hold an image to its contract",
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  {
    name: "apply",
    summary: "bring a machine to what a spec says, over SSH",
    load: async () => (await import("./commands/apply.ts")).apply,
  },
  {
    name: "deploy",
    summary: "make hosts from their files, or bring them to what these say",
    load: async () => (await import("./commands/deploy.ts")).deploy,
  },
  {
    name: "ssh",
    summary: "log in to a deployed host",
    load: async () => (await import("./commands/ssh.ts")).ssh,
  },
  {
    name: "maintain",
    summary: "open the read-only root of a machine for a while",
    load: async () => (await import("./commands/maintain.ts")).maintain,
  },
  {
    name: "plan",
    summary: "say what a command would change: its --check --diff",
    load: async () => (await import("./commands/plan.ts")).plan,
  },
  {
    name: "install",
    summary: "install the tools that versions.yaml pins",
    load: async () => (await import("./commands/install.ts")).install,
  },
  {
    name: "bump",
    summary: "renew the pins of versions.yaml",
    load: async () => (await import("./commands/bump.ts")).bump,
  },
  {
    name: "fetch",
    summary: "download what versions.yaml pins, to install it where there is no network",
    load: async () => (await import("./commands/fetch.ts")).fetch,
  },
  {
    name: "images",
    summary: "list the images that were built",
    load: async () => (await import("./commands/images.ts")).images,
  },
  {
    name: "test",
    summary: "prove tasks, or a spec, on a scratch machine",
    load: async () => (await import("./commands/test.ts")).test,
  },
  {
    name: "base",
    summary: "make a box for Vagrant of a base",
    load: async () => (await import("./commands/base.ts")).base,
  },
  {
    name: "vms",
    summary: "list the hosts that were deployed",
    load: async () => (await import("./commands/vms.ts")).vms,
  },
  {
    name: "start",
    summary: "have hosts run",
    load: async () => (await import("./commands/start.ts")).start,
  },
  {
    name: "stop",
    summary: "have hosts off",
    load: async () => (await import("./commands/stop.ts")).stop,
  },
  {
    name: "console",
    summary: "show a host's serial console",
    load: async () => (await import("./commands/console.ts")).consoleCommand,
  },
  {
    name: "destroy",
    summary: "remove hosts",
    load: async () => (await import("./commands/destroy.ts")).destroy,
  },
  {
    name: "gc",
    summary: "remove what runs left that were killed",
    load: async () => (await import("./commands/gc.ts")).gc,
  },
  {
    name: "doctor",
    summary: "look at what this machine lacks, and mend it",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  {
    name: "validate",
    summary: "check specs without touching any machine",
    load: async () => (await import("./commands/validate.ts")).validate,
  },
  {
    name: "tasks",
    summary: "show what each task takes",
    load: async () => (await import("./commands/tasks.ts")).tasksCommand,
  },
  {
    name: "new",
    summary: "begin a new task, in the sources of provision",
    load: async () => (await import("./commands/new.ts")).newCommand,
  },
  {
    name: "completion",
    summary: "print a completion script for a shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  {
    name: "version",
    summary: "print the version",
    load: async () => (await import("./commands/version.ts")).version,
  },
  {
    name: "docs",
    summary: "write the generated pages and schemas",
    hidden: true,
    load: async () => (await import("./commands/docs.ts")).docs,
  },
];

/** Reads the command line, runs the command, gives what the shell gets. A wrong command line throws USAGE. */
export async function runProgram(given: readonly string[], shell: Shell): Promise<number> {
  const args = unfoldPlan(given);
  let exitCode = 0;
  const program = await buildProgram(
    shell,
    ({ name }) => args.includes(name),
    (code) => {
      exitCode = code;
    },
  );
  if (args.length === 0) {
    program.outputHelp();
    return exitUsage;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are answers, not errors.
    if (error.exitCode === 0) return 0;
    throw usage(error);
  }
  return exitCode;
}

/** Commands that know --check and --diff. */
const planned: readonly string[] = ["apply", "build", "deploy"];

/** `plan apply …` is `apply … --check --diff`, and so for every command of the list. */
function unfoldPlan(args: readonly string[]): readonly string[] {
  const [first, second = "", ...rest] = args;
  return first === "plan" && planned.includes(second) ? [second, ...rest, "--check", "--diff"] : args;
}

/** The commander tree; of the commands that are not wanted only name and summary. */
export async function buildProgram(
  shell: Pick<Shell, "stdout" | "stderr">,
  wanted: (entry: Pick<Entry, "name">) => boolean,
  ended: (exitCode: number) => void = () => {},
): Promise<Command> {
  const program = new Command("provision")
    .description("Builds golden images with libvirt and brings hosts to what a spec says, over SSH.")
    .usage("COMMAND [FLAGS]")
    .helpCommand("help [COMMAND]", "show what a command takes")
    .helpOption("-h, --help", "show this help")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: () => {} })
    .exitOverride()
    .version(packageVersion(), "-V, --version", "print the version")
    .addOption(new Option("--json", "print events as JSON lines on standard output"))
    .addOption(new Option("--verbose", "show every use, action and line of output"))
    .addOption(new Option("--log <file>", "write the log of the run to this file"))
    .addOption(new Option("--no-color", "use no colours; NO_COLOR does the same"))
    .addHelpText("after", programHelpEnd);
  for (const entry of entries) {
    const command = program.command(entry.name, { hidden: entry.hidden ?? false }).summary(entry.summary);
    command.helpOption("-h, --help", "show this help");
    if (!wanted(entry)) continue;
    const found = await entry.load();
    found.declare(command);
    command.action(async () => {
      const flags = command.optsWithGlobals<CommonFlags>();
      ended(await found.act({ shell: shell as Shell, flags: flags as never, operands: command.args }));
    });
  }
  return program;
}

const programHelpEnd = [
  "",
  "First steps:",
  "  provision doctor --fix              make this machine ready",
  "  provision build --spec base         build the image of specs/base.yaml",
  "  provision tasks sysctl              what a task takes, with examples",
  ...exitLines(exitMeanings.keys()),
].join("\n");

/** Commander's complaint in the words of the house. */
function usage(error: CommanderError): ProvisionError<"USAGE"> {
  const [first = "", second = ""] = error.message.replace(/^error: /, "").split("\n");
  const nearest = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(second)?.[1];
  const help = "`provision --help` shows what there is";
  return new ProvisionError("USAGE", {
    what: `Cannot read the command line: ${first.replaceAll("'", '"').replace(/\.$/, "")}`,
    mend: nearest === undefined ? `Correct it; ${help}` : `Use ${nearest}; ${help}`,
  });
}
