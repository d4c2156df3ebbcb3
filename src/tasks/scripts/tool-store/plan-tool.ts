import {
  type Action,
  type Change,
  type Command,
  Refusal,
  type RunAction,
  type ToolPin,
} from "../../../provisioner/core/task.ts";
import { type Account, asUser } from "../as-user.ts";
import { changeScript } from "./change-script.ts";
import { commandsOf, layoutTable, placesOf } from "./layout-table.ts";
import type { ToolState } from "./look.ts";
import { fetching, sending } from "./send-files.ts";
import { prepareScript } from "./store-script.ts";

/** What all changes of a use have in common. */
export interface Terms {
  readonly prefix: string;
  readonly replace: boolean;
  readonly timeoutMs: number;
  /** Whose the prefix is, and who does all that is done in it; left out: root. */
  readonly account?: Account;
}

/** Brings a tool to its pin: by unpacking it, or by links alone where the version lies whole in the store. */
export function planPresent(pin: ToolPin, state: ToolState, terms: Terms): readonly Change[] {
  const { name, id } = pin;
  const { current, damaged, broken, unfinished, has } = state;
  const obstacles = obstaclesOf(pin, state, terms);
  const wrong = damaged[0] ?? broken[0] ?? obstacles[0] ?? (unfinished ? "unfinished" : undefined);
  if (current === id && wrong === undefined) return [];
  const isWhole = has.includes(id) && !(current === id && damaged.length > 0);
  const actions = isWhole
    ? [toChange(terms, { verb: "switch", more: [name, id, replaceWord(terms)], pin })]
    : unpacking(pin, terms);
  return [{ what: name, ...words(pin, current, wrong), actions }];
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
  const actions = [toChange(terms, { verb: "remove", more: [name] })];
  return [{ what: name, from, to: undefined, actions }];
}

/** Removes what killed runs left. */
export function planTidying(terms: Terms): Change {
  const actions = [toChange(terms, { verb: "tidy", more: [] })];
  return { what: "store", from: "leftovers", to: undefined, actions };
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

function unpacking(pin: ToolPin, terms: Terms): readonly Action[] {
  const { name, id, architecture, artifacts } = pin;
  const { prefix, account } = terms;
  const more = [name, id, architecture, replaceWord(terms), commandsOf(pin)[0] ?? name];
  const prepare = scriptOf(terms, ["sh", "-c", prepareScript, "provision-tools-prepare", prefix]);
  const incoming = `${prefix}/share/provision/store/.incoming`;
  return [
    { kind: "run", touches: files, command: prepare },
    ...(account ? sending(artifacts, incoming, account) : artifacts.map((file) => fetching(file, incoming))),
    toChange(terms, { verb: "install", more, pin, stdin: layoutTable(pin) }),
  ];
}

function scriptOf({ account }: Terms, argv: Command["argv"], stdin?: string): Command {
  const command = { argv, ...(stdin !== undefined && { stdin }) };
  return account ? asUser(account, command) : command;
}

/** What of a prefix can be read, by tasks and by programs that look. */
const files = ["file", "stat", "digest", "query"];

function toChange(
  terms: Terms,
  order: {
    readonly verb: string;
    readonly more: readonly string[];
    readonly pin?: ToolPin;
    readonly stdin?: string;
  },
): RunAction {
  const { verb, more, pin, stdin } = order;
  const { prefix, timeoutMs } = terms;
  // Only a tree at the top brings units; what is removed may have been one.
  const bringsUnits = pin === undefined || pin.artifacts.some(({ tree }) => tree?.to === "");
  return {
    kind: "run",
    detached: true,
    timeoutMs,
    touches: bringsUnits ? [...files, "unit"] : files,
    command: scriptOf(terms, ["sh", "-c", changeScript, "provision-tools", verb, prefix, ...more], stdin),
  };
}

function words(
  { id, version }: ToolPin,
  current: string | undefined,
  wrong: string | undefined,
): Pick<Change, "from" | "to"> {
  if (current === undefined) return { from: undefined, to: version };
  if (current === id) return { from: `${version}, ${wrong}`, to: version };
  const was = versionOf(current);
  // The same version of other bytes, or laid out otherwise.
  return was === version ? { from: current, to: id } : { from: was, to: version };
}

function replaceWord({ replace }: Terms): string {
  return replace ? "yes" : "no";
}

/** The version in the name of a directory: `1.7.1` of `1.7.1-0123456789ab`. */
export function versionOf(id: string): string {
  return id.replace(/-[0-9a-f]{12}$/, "");
}
