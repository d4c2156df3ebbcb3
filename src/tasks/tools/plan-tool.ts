import {
  type Action,
  type Change,
  Refusal,
  type RunAction,
  type ToolPin,
} from "../../provisioner/core/task.ts";
import { changeScript } from "./change-script.ts";
import { commandsOf, layoutTable, placesOf } from "./layout-table.ts";
import type { ToolState } from "./look.ts";

/** What all changes of a use have in common. */
export interface Terms {
  readonly prefix: string;
  readonly replace: boolean;
  readonly timeoutMs: number;
}

/** Brings a tool to its pin: by unpacking it, or by links alone where the version lies whole in the store. */
export function planPresent(pin: ToolPin, state: ToolState, terms: Terms): readonly Change[] {
  const { name, id, version } = pin;
  const { current, damaged, broken, unfinished, has } = state;
  const wrong = damaged[0] ?? broken[0];
  const obstacles = obstaclesOf(pin, state, terms);
  if (current === id && wrong === undefined && !unfinished && obstacles.length === 0) return [];
  const isKept = has.includes(id) && !(current === id && damaged.length > 0);
  const change = { what: name, ...wording(pin, state, wrong ?? obstacles[0]) };
  if (isKept) return [{ ...change, actions: [order(terms, "switch", [name, id, word(terms)], pin)] }];
  const files = pin.artifacts.map((file): Action => {
    const path = `${storeOf(terms)}/.incoming/${file.sha256}`;
    return { kind: "fetch", path, file, mode: "0600" };
  });
  const facts = [name, id, pin.architecture, word(terms), commandsOf(pin)[0] ?? name] as const;
  const install = order(terms, "install", facts, pin);
  return [
    {
      ...change,
      actions: [
        order(terms, "prepare", []),
        ...files,
        { ...install, command: { ...install.command, stdin: layoutTable(pin) } },
      ],
    },
  ];

  function wording({ id: wanted }: ToolPin, { current: found }: ToolState, odd: string | undefined) {
    if (found === undefined) return { from: undefined, to: version };
    const was = versionOf(found);
    if (was !== version) return { from: was, to: version };
    if (found !== wanted) return { from: found, to: wanted };
    return { from: `${version}, ${odd ?? "unfinished"}`, to: version };
  }
}

/** Removes a tool with everything it brought. */
export function planRemoval(
  name: string,
  { there, current, has }: ToolState,
  terms: Terms,
): readonly Change[] {
  if (!there) return [];
  const found = current ?? has[0];
  const from = found === undefined ? "parts of it" : versionOf(found);
  return [{ what: name, from, to: undefined, actions: [order(terms, "remove", [name])] }];
}

/** Removes what killed runs left. */
export function planTidying(terms: Terms): Change {
  return { what: "store", from: "leftovers", to: undefined, actions: [order(terms, "tidy", [])] };
}

/** Files of others that have to give way. Throws a Refusal where they must not. */
function obstaclesOf(pin: ToolPin, { current, foreign, taken }: ToolState, terms: Terms): readonly string[] {
  const { name } = pin;
  // Places of the other architecture were asked for too; a version in use speaks for itself.
  const counts = (path: string) =>
    current === pin.id || placesOf(pin).some((place) => place === path || place.startsWith(`${path}/`));
  const clash = taken.find(({ path }) => counts(path));
  if (clash)
    throw new Refusal(
      `"${terms.prefix}/${clash.path}" is of ${clash.by} and of ${name}; leave one of them out`,
    );
  const found = [...new Set(foreign)].filter(counts);
  if (found.length > 0 && !terms.replace) {
    const list = found.map((path) => `"${terms.prefix}/${path}"`).join(", ");
    throw new Refusal(
      `${list} must be absent or ${name}'s, is somebody else's; remove it first, or say replace: true`,
    );
  }
  return found;
}

function order(terms: Terms, verb: string, more: readonly string[], pin?: ToolPin): RunAction {
  // Files below a prefix, and what a program that looks may see of them. A tree at the top may bring units.
  const bringsAll = pin === undefined || pin.artifacts.some(({ tree }) => tree?.to === "");
  return {
    kind: "run",
    detached: true,
    timeoutMs: terms.timeoutMs,
    touches: ["file", "stat", "digest", "query", ...(bringsAll ? ["unit"] : [])],
    command: { argv: ["sh", "-c", changeScript, "provision-tools", verb, terms.prefix, ...more] },
  };
}

function storeOf({ prefix }: Terms): string {
  return `${prefix}/share/provision/store`;
}

function word({ replace }: Terms): string {
  return replace ? "yes" : "no";
}

/** The version in the name of a directory: `1.7.1` of `1.7.1-0123456789ab`. */
function versionOf(id: string): string {
  return id.replace(/-[0-9a-f]{12}$/, "");
}
