import type { Event } from "../../src/provisioner/core/events.ts";
import { type Run, startRun } from "../../src/provisioner/core/run.ts";

/** A run that keeps what it is told. */
export function recordedRun(
  signal: AbortSignal = new AbortController().signal,
  onEvent: (event: Event) => void = () => {},
): {
  readonly run: Run;
  readonly events: Event[];
} {
  const events: Event[] = [];
  const report = (event: Event) => {
    events.push(event);
    onEvent(event);
  };
  const run = startRun({ report, signal, now: () => performance.now() });
  return { run, events };
}
