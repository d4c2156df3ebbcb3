import type { Action } from "./task.ts";

/** An action in a few words, for messages: never its whole content. */
export function describe(action: Action): string {
  switch (action.kind) {
    case "run":
      return shortened(action.command.argv.join(" "));
    case "symlink":
      return `symlink ${action.path} -> ${action.target}`;
    case "write":
    case "upload":
    case "remove":
    case "directory":
    case "attributes":
      return `${action.kind} ${action.path}`;
    default:
      return action satisfies never;
  }
}

/** Scripts ride in argv; their first line says enough. */
function shortened(line: string): string {
  const [first = ""] = line.split("\n");
  const cut = first.length > 160 ? first.slice(0, 160) : first;
  return cut === line ? line : `${cut} …`;
}
