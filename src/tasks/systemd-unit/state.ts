import { digestOf, type Facts, type UnitState } from "../../provisioner/core/task.ts";
import type { Params } from "./schema.ts";

/** What a unit is and what it reads, as found; and the text that it should have. */
export interface State {
  /** Unknown to a template unit, of which only instances run. */
  readonly unit: UnitState | undefined;
  readonly wanted: string | undefined;
  readonly text: string | undefined;
  readonly stamp: string | undefined;
  /** Of `restartOn`, in its order. */
  readonly digests: readonly (string | undefined)[];
}

/** Where the stamps of all tasks are. */
export const STAMPS = "/var/lib/provision/stamps";

/** Reads all that a use of the unit needs in one flight. */
export async function readUnit(facts: Facts, params: Params): Promise<State> {
  const { unit, restartOn = [], content, template, variables = {} } = params;
  const hasText = content !== undefined || template !== undefined;
  const [found, wanted, text, stamp, digests] = await Promise.all([
    unit.includes("@.") ? undefined : facts.unit(unit),
    template === undefined ? content : facts.template(template, variables),
    hasText ? ownText(facts, params) : undefined,
    hasText || restartOn.length > 0 || params.state === "ran" ? facts.file(stampFile(params)) : undefined,
    Promise.all(restartOn.map((path) => facts.digest(path))),
  ]);
  return { unit: found, wanted, text, stamp, digests };
}

/** The text in place. A unit that is masked has a link to /dev/null there, which is none. */
async function ownText(facts: Facts, params: Params): Promise<string | undefined> {
  const path = textFile(params);
  // Asked before it is awaited: one flight.
  const [stat, text] = await Promise.allSettled([facts.stat(path), facts.file(path)]);
  if (stat.status === "rejected") throw stat.reason;
  if (stat.value?.target === "/dev/null") return undefined;
  if (text.status === "rejected") throw text.reason;
  return text.value;
}

/** The unit's file under /etc, or its drop-in. */
export function textFile({ unit, dropIn }: Pick<Params, "unit" | "dropIn">): string {
  const path = `/etc/systemd/system/${unit}`;
  return dropIn === undefined ? path : `${path}.d/${dropIn}.conf`;
}

/** What the last start was made on. */
export function stampFile({ unit, dropIn }: Pick<Params, "unit" | "dropIn">): string {
  return `${STAMPS}/${unit}${dropIn === undefined ? "" : `.${dropIn}`}`;
}

/** A line for each file that the unit reads; `undefined` when nothing of that is asked. */
export function stampText(
  params: Params,
  { wanted, digests }: Pick<State, "wanted" | "digests">,
): string | undefined {
  const { restartOn = [], state } = params;
  const own = wanted === undefined ? "" : `${digestOf(wanted)}  ${textFile(params)}\n`;
  const others = restartOn.map((path, at) => `${digests[at] ?? "absent"}  ${path}\n`).join("");
  if (own + others !== "") return own + others;
  return state === "ran" ? `${params.unit}\n` : undefined;
}
