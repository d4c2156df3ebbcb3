import { join } from "node:path";

import { execa } from "execa";

import type { Event } from "../../src/provisioner/core/events.ts";
import { endsWithTest } from "./ends-with-test.ts";

const root = join(import.meta.dirname, "../..");

/** A run of `./provision`, as a user starts it. */
export interface LaunchedRun {
  readonly exitCode: number | undefined;
  /** What it said with --json, in order. */
  readonly events: readonly Event[];
  readonly stderr: string;
}

/**
 * Starts the launcher with --json, which stands before what is a program of the target's. `seen` is told each event as
 * it comes, and the process.
 */
export function launch(
  args: readonly string[],
  options: {
    readonly env?: Record<string, string>;
    readonly seen?: (event: Event, pid: number) => void;
  } = {},
): Promise<LaunchedRun> {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const argv = [join(root, "provision"), ...args.slice(0, end), "--json", ...args.slice(end)];
  const [file = "", ...rest] = endsWithTest(argv);
  const child = execa(file, rest, {
    reject: false,
    env: { ...options.env },
    // A group of its own: killing the launcher's process must not reach the test.
    detached: true,
  });
  const events: Event[] = [];
  let begun = "";
  child.stdout.on("data", (data: Buffer) => {
    const lines = (begun + data.toString()).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines.filter(Boolean)) {
      const event = JSON.parse(line) as Event;
      events.push(event);
      if (child.pid !== undefined) options.seen?.(event, child.pid);
    }
  });
  return child.then(({ exitCode, stderr }) => ({ exitCode, events, stderr }));
}

/** The events of one kind. */
export function eventsOf<Kind extends Event["kind"]>(
  { events }: LaunchedRun,
  kind: Kind,
): Extract<Event, { kind: Kind }>[] {
  return events.filter((event): event is Extract<Event, { kind: Kind }> => event.kind === kind);
}

/** Title of each step that was opened. */
export function stepsOf(run: LaunchedRun): string[] {
  return eventsOf(run, "step-started").map(({ title }) => title);
}
