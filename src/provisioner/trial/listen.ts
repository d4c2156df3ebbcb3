import type { Run } from "../core/run.ts";
import type { UseOutcome } from "../core/events.ts";
import type { Change } from "../core/task.ts";

/** What became of the uses of one convergence, by their ids. */
export interface Heard {
  /** Hand this to `converge`: what it says of its uses is written down here and shown to nobody. */
  readonly run: Run;
  readonly outcomes: ReadonlyMap<string, UseOutcome>;
  /** Without those that had nothing to change. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
}

/** Listens to a convergence: in a trial its changes are no news, what is proved by them is. */
export function listen(run: Run): Heard {
  const outcomes = new Map<string, UseOutcome>();
  const changes = new Map<string, readonly Change[]>();
  const report: Run["report"] = (event) => {
    if (event.kind === "use-started" || event.kind === "flight") return;
    if (event.kind !== "use-ended") return run.report(event);
    const { use, outcome } = event;
    // A use that changed stays changed when the proof finds it ok.
    if (outcomes.get(use) !== "changed") outcomes.set(use, outcome);
    if (event.changes.length > 0) changes.set(use, [...(changes.get(use) ?? []), ...event.changes]);
  };
  return { run: { ...run, report }, outcomes, changes };
}
