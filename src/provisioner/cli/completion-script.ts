import type { Command } from "commander";

/** Shells a script can be made for. */
export const shells = ["bash", "zsh", "fish"] as const;

export type CompletionShell = (typeof shells)[number];

interface Words {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly { readonly flag: string; readonly description: string }[];
  /** Its arguments are hosts. */
  readonly takesHosts: boolean;
}

/** Where the files lie whose names can be completed. */
export interface NameFolders {
  readonly specsDir: string;
  readonly hostsDir: string;
}

/** A completion script of the commands, their flags, and the names of specs and hosts. */
export function completionScript(shell: CompletionShell, program: Command, folders: NameFolders): string {
  const commands = program.commands
    .filter((command) => !isHidden(program, command))
    .map((command) => ({
      name: command.name(),
      summary: command.summary(),
      takesHosts: command.registeredArguments[0]?.name() === "HOST",
      flags: [...command.options, ...program.options].map((option) => ({
        flag: option.long ?? option.flags,
        description: option.description,
      })),
    }));
  switch (shell) {
    case "bash":
      return bash(commands, folders);
    case "zsh":
      // Zsh reads bash's functions through its own compatibility layer.
      return `#compdef provision\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands, folders)}`;
    case "fish":
      return fish(commands, folders);
    default:
      return shell satisfies never;
  }
}

function isHidden(program: Command, command: Command): boolean {
  return !program.createHelp().visibleCommands(program).includes(command);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function bash(commands: readonly Words[], { specsDir, hostsDir }: NameFolders): string {
  const onHosts = commands.filter(({ takesHosts }) => takesHosts).map(({ name }) => name);
  const cases = commands.map(
    ({ name, flags }) => `    ${name}) words=${quoted(flags.map(({ flag }) => flag).join(" "))} ;;`,
  );
  return `_provision() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} specs=${quoted(specsDir)} hosts=${quoted(hostsDir)} words
  _provision_names() { (cd "$1" 2>/dev/null && for f in *.yaml; do [ "$f" = defaults.yaml ] || echo "\${f%.yaml}"; done); }
  if [ "$before" = --spec ] || [ "\${COMP_WORDS[1]}" = validate ]; then
    words=$(_provision_names "$specs"; [ "$before" = --spec ] || _provision_names "$hosts")
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
    return
  fi
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(" "))} -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
    *) words= ;;
  esac
  case $current:\${COMP_WORDS[1]} in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    ${onHosts.map((name) => `*:${name}`).join("|")}) COMPREPLY=($(compgen -W "$(_provision_names "$hosts")" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -F _provision provision ./provision
`;
}

function fish(commands: readonly Words[], { specsDir, hostsDir }: NameFolders): string {
  const first = `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
  const hosts = `(for f in ${quoted(hostsDir)}/*.yaml; basename $f .yaml; end | string match -v defaults)`;
  const lines = commands.flatMap(({ name, summary, flags, takesHosts }) => [
    `complete -c provision -n ${quoted(first)} -f -a ${name} -d ${quoted(summary)}`,
    ...flags.map(
      ({ flag, description }) =>
        `complete -c provision -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -l ${flag.replace(/^--/, "")} -d ${quoted(description)}`,
    ),
    ...(takesHosts
      ? [`complete -c provision -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -f -a ${quoted(hosts)}`]
      : []),
  ]);
  const specs = `(for f in ${quoted(specsDir)}/*.yaml; basename $f .yaml; end)`;
  return [
    ...lines,
    `complete -c provision -l spec -x -a ${quoted(specs).replaceAll("'\\''", "'\\''")}`,
    "",
  ].join("\n");
}
