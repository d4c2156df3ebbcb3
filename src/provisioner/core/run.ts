import type { Event, Report } from "./events.ts";

/** What a piece of work gets to speak and to be stopped by. */
export interface Run {
  readonly signal: AbortSignal;
  readonly report: Report;
  /** The step that is open; 0 is the run itself. */
  readonly step: number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Opens a step below this one; its ending, time and result are reported whatever happens. */
  within<T>(title: string, work: (run: Run) => Promise<T>, result?: (value: T) => string): Promise<T>;
  progress(text: string, fraction?: number): void;
  note(text: string, level?: "info" | "warning"): void;
}

/** The outermost run. */
export function startRun(options: {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly now: () => number;
}): Run {
  let steps = 0;

  function open(step: number): Run {
    const run: Run = {
      signal: options.signal,
      report: options.report,
      now: options.now,
      step,
      async within(title, work, result) {
        options.signal.throwIfAborted();
        const inner = open(++steps);
        const parent = step === 0 ? undefined : step;
        options.report({ kind: "step-started", step: inner.step, parent, title });
        const started = options.now();
        const end = (rest: Pick<Extract<Event, { kind: "step-ended" }>, "ending" | "result">) =>
          options.report({ kind: "step-ended", step: inner.step, ms: options.now() - started, ...rest });
        try {
          const value = await work(inner);
          end({ ending: "done", ...(result && { result: result(value) }) });
          return value;
        } catch (error) {
          end({ ending: options.signal.aborted ? "stopped" : "failed" });
          throw error;
        }
      },
      progress: (text, fraction) =>
        options.report({ kind: "step-progress", step, text, ...(fraction !== undefined && { fraction }) }),
      note: (text, level = "info") => options.report({ kind: "note", level, text }),
    };
    return run;
  }

  return open(0);
}
