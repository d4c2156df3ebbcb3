import { randomUUID } from "node:crypto";

import { ProvisionError } from "../core/errors.ts";
import type { FactAnswer } from "../core/facts.ts";
import { HostLost, type Errand, type FlightResult, type Host, type Landing } from "../core/host.ts";
import { openLink } from "../core/link.ts";
import type { Run } from "../core/run.ts";
import { run as program, write, type RunAction } from "../core/task.ts";
import { maintenanceScript, place } from "./maintenance-script.ts";
import { readRootState, rootQuestions, type RootState } from "./root-state.ts";

const script = `${place}/script`;

/** A call of the script of the window. */
export function scriptCall(...args: readonly string[]): RunAction {
  return program("sh", script, ...args);
}

/** An action under an id of its own. */
export function ordered(action: Errand): { readonly id: string; readonly action: Errand } {
  return { id: `maintenance-${randomUUID()}`, action };
}

/** Puts the script in place, calls it and looks at root, in one flight; after a lost connection once more. */
export async function callScript(
  host: Host,
  run: Run,
  call: RunAction,
): Promise<{ readonly landings: readonly Landing[]; readonly state: RootState }> {
  const link = openLink(host, run);
  const inPlace: readonly Errand[] = [
    { kind: "directory", path: place, mode: "0700" },
    write(script, maintenanceScript(), { mode: "0700" }),
  ];
  const orders = [...inPlace, call].map(ordered);
  for (;;) {
    let result: FlightResult;
    try {
      result = await link.fly({ orders, facts: rootQuestions });
    } catch (error) {
      if (!(error instanceof HostLost)) throw error;
      await link.comeBack(error);
      continue;
    }
    return { landings: result.landings, state: stateOf(result.answers, host) };
  }
}

/** How the root of a machine stands. */
export async function lookAtRoot(host: Host, run: Run): Promise<RootState> {
  const { answers } = await openLink(host, run).ask({ facts: rootQuestions });
  return stateOf(answers, host);
}

function stateOf(answers: readonly FactAnswer[], host: Host): RootState {
  const state = readRootState(answers);
  if (!("unknown" in state)) return state;
  const facts = { use: "the maintenance window", fact: "how root is mounted", reason: state.unknown };
  throw new ProvisionError("FACT_UNKNOWN", facts, { where: host.name });
}

/** What a machine said to the first order that did not go well. */
export function tailOf(landings: readonly Landing[]): string {
  const bad = landings.find(({ kind }) => kind !== "done");
  return bad && "tail" in bad ? bad.tail.trim() : "";
}
