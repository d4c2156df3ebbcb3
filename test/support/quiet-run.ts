import type { Event } from "../../src/provisioner/core/events.ts";
import { type Run, startRun } from "../../src/provisioner/core/run.ts";

/** A run that nobody stops, and all it said. */
export function quietRun(
  signal: AbortSignal = new AbortController().signal,
): Run & { readonly events: Event[] } {
  const events: Event[] = [];
  const run = startRun({ report: (event) => events.push(event), signal, now: () => performance.now() });
  return { ...run, events };
}
