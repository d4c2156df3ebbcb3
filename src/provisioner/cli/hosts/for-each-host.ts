import pLimit from "p-limit";

import type { Run } from "../../core/run.ts";
import type { Ending } from "../exit-code.ts";
import { type Failure, readFailure } from "../failure.ts";
import { table } from "../table.ts";
import { usualWidth } from "./width.ts";

/** What became of one host of several. */
export type HostOutcome<Host, Done> =
  | { readonly host: Host; readonly done: Done }
  | { readonly host: Host; readonly failure: Failure };

/**
 * Works on each host in a step of its own, some at one time. One that fails is told by an error event with the host as
 * its place and holds nobody up; of a single one the error goes through. A run that is stopped rejects when all have ended.
 */
export async function forEachHost<Host extends { readonly name: string }, Done>(
  hosts: readonly Host[],
  work: (host: Host, run: Run) => Promise<Done>,
  options: {
    readonly run: Run;
    readonly width?: number;
    /** What came of it, for the step's line. */
    readonly words?: (done: Done) => string;
  },
): Promise<readonly HostOutcome<Host, Done>[]> {
  const { run, width = usualWidth, words } = options;
  const inStep = (host: Host) => run.within(host.name, (inner) => work(host, inner), words);
  const [only, ...more] = hosts;
  if (only !== undefined && more.length === 0) return [{ host: only, done: await inStep(only) }];
  const limit = pLimit(width);
  const one = async (host: Host): Promise<HostOutcome<Host, Done>> => {
    try {
      return { host, done: await inStep(host) };
    } catch (error) {
      const failure = readFailure(error);
      if (!run.signal.aborted) tell(host, failure, run);
      return { host, failure };
    }
  };
  const outcomes = await Promise.all(hosts.map((host) => limit(() => one(host))));
  run.signal.throwIfAborted();
  return outcomes;
}

function tell({ name }: { readonly name: string }, { event, cleanUp }: Failure, run: Run): void {
  for (const text of cleanUp) run.note(`Clean-up of ${name} failed: ${text}`, "warning");
  run.report({ where: name, ...event });
}

/** How the command ends: with the number of the first that failed. */
export function endingOf(outcomes: readonly HostOutcome<unknown, unknown>[]): Ending {
  for (const outcome of outcomes) if ("failure" in outcome) return { exitCode: outcome.failure.exitCode };
  return "as-wanted";
}

/** One line for one host, a table for several; `cells` are what comes behind the outcome, under `headings`. */
export function outcomesInWords<Host extends { readonly name: string }, Done>(
  outcomes: readonly HostOutcome<Host, Done>[],
  words: (done: Done) => string,
  more: { readonly headings: readonly string[]; readonly cells: (done: Done) => readonly string[] } = {
    headings: [],
    cells: () => [],
  },
): string {
  const rows = outcomes.map((outcome) =>
    "done" in outcome
      ? [outcome.host.name, words(outcome.done), ...more.cells(outcome.done)]
      : [outcome.host.name, `failed: ${outcome.failure.event.code}`],
  );
  const [only = [], ...others] = rows;
  if (others.length === 0) return `${only[0]}: ${only.slice(1).join(", ")}`;
  return table(["NAME", "OUTCOME", ...more.headings], rows);
}

/** The same for programs. */
export function outcomesAsData<Host extends { readonly name: string; readonly uri: string }, Done>(
  outcomes: readonly HostOutcome<Host, Done>[],
  data: (done: Done) => object,
): readonly object[] {
  return outcomes.map((outcome) => {
    const { name, uri } = outcome.host;
    if ("done" in outcome) return { name, hypervisor: uri, ...data(outcome.done) };
    const { code, message, mend } = outcome.failure.event;
    return { name, hypervisor: uri, outcome: "failed", error: { code, message, mend } };
  });
}
