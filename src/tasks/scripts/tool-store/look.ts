import { type Command, type Output, type PinnedTool, Refusal } from "../../../provisioner/core/task.ts";
import { placesOf } from "./layout-table.ts";
import { lookScript } from "./look-script.ts";

/** What a prefix has of tools. */
export interface PrefixState {
  /** `uname -m`; `undefined` where there is no machine yet. */
  readonly machine: string | undefined;
  /** A killed run left something behind. */
  readonly leftovers: boolean;
  readonly tools: ReadonlyMap<string, ToolState>;
}

/** How one tool stands. Paths are relative to the prefix. */
export interface ToolState {
  /** The store has something of it. */
  readonly there: boolean;
  /** The version in use. */
  readonly current: string | undefined;
  /** Versions that lie whole in the store. */
  readonly has: readonly string[];
  /** A run was killed while it set the links. */
  readonly unfinished: boolean;
  /** Links that are missing or lead elsewhere. */
  readonly broken: readonly string[];
  /** Programs of the version in use that are gone, or of another size than when they were installed. */
  readonly damaged: readonly string[];
  /** Somebody's files where it has or wants its own. */
  readonly foreign: readonly string[];
  /** Places that another tool has. */
  readonly taken: readonly { readonly path: string; readonly by: string }[];
}

/** What has nothing of a tool. */
export const nothing: ToolState = {
  there: false,
  current: undefined,
  has: [],
  unfinished: false,
  broken: [],
  damaged: [],
  foreign: [],
  taken: [],
};

/** Asks how tools stand in a prefix, and whether the places that they want are free. */
export function lookAt(prefix: string, tools: readonly PinnedTool[], absent: readonly string[]): Command {
  const wanted = tools.flatMap(({ name, pins }) => {
    const places = Object.values(pins).flatMap((pin) => placesOf(pin));
    return [`tool ${name}`, ...[...new Set(places)].map((place) => `place ${place}`)];
  });
  const lines = [...wanted, ...absent.map((name) => `tool ${name}`)];
  return {
    argv: ["sh", "-c", lookScript, "provision-tools-look", prefix],
    stdin: lines.map((line) => `${line}\n`).join(""),
  };
}

/** Reads the answer. Where no program answers at all, there is no machine yet, and nothing on it. */
export function readLook({ code, stdout, stderr }: Output): PrefixState {
  if (code === 127) return { machine: undefined, leftovers: false, tools: new Map() };
  if (code !== 0)
    throw new Refusal(`its prefix must be readable, is not: ${stderr.trim()}; look at it there`);
  const tools = new Map<string, Draft>();
  const sizes = new Map<string, string>();
  const wanted: { readonly tool: Draft; readonly size: string; readonly path: string }[] = [];
  let [machine, leftovers, tool] = ["", false, draft()];
  for (const line of stdout.split("\n")) {
    const [word, rest] = cut(line);
    const [first, more] = cut(rest);
    switch (word) {
      case "machine":
        machine = rest;
        break;
      case "leftovers":
        leftovers = true;
        break;
      case "tool":
        tools.set(rest, (tool = draft()));
        break;
      case "there":
      case "unfinished":
        tool[word] = true;
        break;
      case "current":
        tool.current = rest;
        break;
      case "has":
      case "broken":
      case "damaged":
      case "foreign":
        tool[word].push(rest);
        break;
      case "taken":
        tool.taken.push({ by: first, path: more });
        break;
      case "wanted":
        wanted.push({ tool, size: first, path: more });
        break;
      case "size":
        sizes.set(more, first);
    }
  }
  for (const { tool: owner, size, path } of wanted)
    if (sizes.get(path) !== size) owner.damaged.push(path.replace(/^.*\/current\//, ""));
  return { machine, leftovers, tools };
}

interface Draft {
  there: boolean;
  current: string | undefined;
  unfinished: boolean;
  readonly has: string[];
  readonly broken: string[];
  readonly damaged: string[];
  readonly foreign: string[];
  readonly taken: { readonly path: string; readonly by: string }[];
}

function draft(): Draft {
  return structuredClone(nothing) as Draft;
}

/** A word, and what comes after the blank. */
function cut(line: string): [string, string] {
  const blank = line.indexOf(" ");
  return blank === -1 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
}
