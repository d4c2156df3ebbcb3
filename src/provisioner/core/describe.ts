import type { Action } from "./task.ts";

/** An action in a few words, for messages: never its whole content. */
export function describe(action: Action): string {
  switch (action.kind) {
    case "run":
      return shortened(withoutScript(action.command.argv).join(" "));
    case "symlink":
      return `symlink ${action.path} -> ${action.target}`;
    case "guard":
      return `guard ${action.name} for ${action.seconds} s`;
    case "confirm":
      return `confirm ${action.name}`;
    case "write":
    case "upload":
    case "fetch":
    case "fetch-key":
    case "remove":
    case "directory":
    case "attributes":
      return `${action.kind} ${action.path}`;
    default:
      return action satisfies never;
  }
}

/** A script that has a name and arguments is told by them: `sh -c … provision-apt install curl`. */
function withoutScript(argv: readonly string[]): readonly string[] {
  const [shell, flag, script = "", ...rest] = argv;
  const isNamed = shell === "sh" && flag === "-c" && rest.length > 0 && script.includes("\n");
  return isNamed ? [shell, flag, "…", ...rest] : argv;
}

/** Scripts ride in argv; their first line says enough. */
function shortened(line: string): string {
  const [first = ""] = line.split("\n");
  const cut = first.length > 160 ? first.slice(0, 160) : first;
  return cut === line ? line : `${cut} …`;
}
