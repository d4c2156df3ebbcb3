import { describe } from "../../core/describe.ts";
import type { Event, UseOutcome } from "../../core/events.ts";
import type { Change } from "../../core/task.ts";
import { visibleLine } from "./visible-text.ts";

/** A time as people read it: 0.3 s, 41 s, 2 min 5 s. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** What became of a use, in the words of every display. */
export const outcomeWords: Readonly<Record<UseOutcome, string>> = {
  ok: "ok",
  changed: "changed",
  "would-change": "would change",
  "may-change": "may change",
  "does-not-apply": "does not apply",
  failed: "failed",
  skipped: "skipped",
};

/** Whether there is nothing to tell of a use, but to those who want everything. */
export function isQuiet(outcome: UseOutcome): boolean {
  return outcome === "ok" || outcome === "does-not-apply";
}

/** A use that ended: `changed apt curl`, `may change sysctl x after kernel-module y`. */
export function useWords(event: Extract<Event, { kind: "use-ended" }>): string {
  const after = event.after === undefined ? "" : ` after ${visibleLine(event.after)}`;
  return `${outcomeWords[event.outcome]} ${visibleLine(event.use)}${after}`;
}

/** How a step ended: `Boot builder: done, 41 s, 192.168.122.7`. */
export function stepWords(title: string, event: Extract<Event, { kind: "step-ended" }>): string {
  const result = event.result === undefined ? "" : `, ${visibleLine(event.result)}`;
  return `${visibleLine(title)}: ${event.ending}, ${duration(event.ms)}${result}`;
}

/** What a step is at: `Unpacking curl (40 %)`. */
export function progressWords(event: Extract<Event, { kind: "step-progress" }>): string {
  const share = event.fraction === undefined ? "" : ` (${Math.floor(event.fraction * 100)} %)`;
  return visibleLine(event.text) + share;
}

/** One promise that was checked. */
export function assertionWords(event: Extract<Event, { kind: "assertion" }>): string {
  const found = event.found === undefined ? "" : `: found ${visibleLine(event.found)}`;
  return `${event.held ? "held" : "broken"} ${event.moment}: ${visibleLine(event.what)}${found}`;
}

/** The actions that close a change, one a line. */
export function actionWords(change: Change): readonly string[] {
  return change.actions.map((action) => visibleLine(describe(action)));
}

/** A count with its noun: `1 change`, `2 changes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
