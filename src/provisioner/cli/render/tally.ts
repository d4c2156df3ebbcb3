import type { Event, Report, UseOutcome } from "../../core/events.ts";
import { count, duration, outcomeWords } from "./words.ts";

/** Counts what a run does, for its last line and for what is left when it is stopped. */
export interface Tally {
  readonly report: Report;
  /** `0 changes, 17 ok, 1 flight, 0.3 s` */
  summary(ms: number): string;
  /** Titles of the steps that are open, the outermost first. */
  open(): readonly string[];
}

/** Starts counting. */
export function startTally(): Tally {
  // By step and use: hosts that are worked on in one run have uses of the same names.
  const outcomes = new Map<string, UseOutcome>();
  const steps = new Map<number, string>();
  const assertions = { held: 0, broken: 0 };
  let flights = 0;
  let changes = 0;
  // By themselves: another use of the same name may be the one that applies.
  let elsewhere = 0;

  return {
    report(event: Event) {
      if (event.kind === "flight") flights += 1;
      else if (event.kind === "step-started") steps.set(event.step, event.title);
      else if (event.kind === "step-ended") steps.delete(event.step);
      else if (event.kind === "assertion") assertions[event.held ? "held" : "broken"] += 1;
      else if (event.kind === "use-ended" && event.outcome === "does-not-apply") elsewhere += 1;
      else if (event.kind === "use-ended") {
        changes += event.changes.length;
        // A use that changed in the first round stays changed when the second finds it ok.
        const use = `${event.step} ${event.use}`;
        const before = outcomes.get(use);
        if (before !== "changed" || event.outcome === "failed") outcomes.set(use, event.outcome);
      }
    },
    summary(ms) {
      const parts: string[] = [];
      if (outcomes.size + elsewhere > 0) {
        const all = [...outcomes.values()];
        parts.push(count(changes, "change") + (all.includes("would-change") ? " to make" : ""));
        parts.push(...outcomeCounts(all));
        if (elsewhere > 0) parts.push(`${elsewhere} for other distributions`);
      }
      if (assertions.held + assertions.broken > 0) {
        parts.push(`${count(assertions.held, "promise")} held`, `${assertions.broken} broken`);
      }
      if (flights > 0) parts.push(count(flights, "flight"));
      return [...parts, duration(ms)].join(", ");
    },
    open: () => [...steps.values()],
  };
}

function outcomeCounts(outcomes: readonly UseOutcome[]): readonly string[] {
  // How many uses changed is said by the number of changes.
  return (["ok", "may-change", "failed", "skipped"] as const).flatMap((outcome) => {
    const number = outcomes.filter((each) => each === outcome).length;
    return number === 0 ? [] : [`${number} ${outcomeWords[outcome]}`];
  });
}
