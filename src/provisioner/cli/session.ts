import { ProvisionError } from "../core/errors.ts";
import type { Event } from "../core/events.ts";
import { Redactor } from "../core/redactor.ts";
import { startRun } from "../core/run.ts";
import type { Run } from "../core/run.ts";
import type { CommonFlags } from "./command.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Ending } from "./exit-code.ts";
import { readFailure } from "./failure.ts";
import { machineDirs } from "./project.ts";
import { openDisplay } from "./render/display.ts";
import { openLog } from "./render/log-file.ts";
import { startTally } from "./render/tally.ts";
import type { Shell } from "./shell.ts";

/** What a command works with once the run is open. */
export interface Session {
  readonly run: Run;
  /** Told of each secret, it keeps it out of all that this session shows and writes down. */
  readonly redactor: Redactor;
  /** The command's own result: text for people, data for --json. */
  readonly result: (text: string, data: unknown) => void;
}

/** What a session is opened for. */
export interface SessionOptions {
  readonly shell: Shell;
  readonly flags: CommonFlags & { readonly diff?: boolean };
  /** As in `build --spec base`, for the log. */
  readonly command: string;
  /** Commands that only look something up keep no log and have no closing line. */
  readonly quiet?: boolean;
  /** What programs on a machine print is what the caller asked for: all of it is shown, in lines. */
  readonly showsOutput?: boolean;
}

const now = () => performance.now();

/** Runs a command's work with display and log around it, and gives what the shell gets. */
export async function runSession(
  options: SessionOptions,
  work: (session: Session) => Promise<Ending>,
): Promise<number> {
  const { shell, flags, command, quiet = false, showsOutput = false } = options;
  const tally = startTally();
  const log =
    quiet && flags.log === undefined
      ? undefined
      : openLog(machineDirs(shell).log, {
          command: command.split(" ")[0] ?? "",
          pid: shell.pid,
          path: flags.log,
        });
  const display = await openDisplay(shell, { ...flags, quiet, showsOutput });
  const sinks = [tally, display, ...(log ? [log] : [])];
  const redactor = new Redactor();
  shell.onBug((text) => redactor.text(text));
  const report = (event: Event) => {
    const fit = redactor.event(event);
    for (const sink of sinks) sink.report(fit);
  };
  const started = now();
  const run = startRun({ report, signal: shell.signal, now });
  shell.onHurry(() => left(tally.open()));
  const onStop = () => run.note("Stopping: cleaning up; press Ctrl-C again to leave at once", "warning");
  // What only looks has nothing to clean up.
  if (!quiet) shell.signal.addEventListener("abort", onStop, { once: true });

  report({ kind: "run-started", command, log: log?.path });
  let exitCode: number;
  try {
    const ending = await work({
      run,
      redactor,
      result: (text, data) => report({ kind: "result", text, data }),
    });
    exitCode = exitCodeOf(ending);
  } catch (error) {
    exitCode = fail(shell.signal.aborted ? stopped(error) : error, report);
  } finally {
    shell.signal.removeEventListener("abort", onStop);
  }
  const trouble = log?.trouble();
  if (trouble !== undefined) run.note(`The log of this run ends early: ${trouble}`, "warning");
  const ms = now() - started;
  report({ kind: "run-ended", exitCode, ms });
  await display.close(quiet ? undefined : { summary: tally.summary(ms), log: log?.path });
  await log?.end();
  return exitCode;
}

/** An abort is no error of its own; what is thrown after it is told with the stop. */
function stopped(error: unknown): unknown {
  const { first, event, cleanUp } = readFailure(error);
  if (event.code === "STOPPED") return error;
  const isAbort = first instanceof Error && first.name === "AbortError";
  const wrong = [...(isAbort ? [] : [event.message]), ...cleanUp];
  const after = wrong.length === 0 ? left([]) : `${wrong.join("; ")}; \`provision gc\` removes what is left`;
  return new ProvisionError("STOPPED", { left: after }, { cause: error });
}

function fail(error: unknown, report: (event: Event) => void): number {
  const { event, exitCode, cleanUp } = readFailure(error);
  for (const text of cleanUp) report({ kind: "note", level: "warning", text: `Clean-up failed: ${text}` });
  report(event);
  return exitCode;
}

/** What is left when a run is stopped. */
function left(open: readonly string[]): string {
  if (open.length === 0) return "everything that was opened is closed again";
  return `"${open.join('" > "')}" was not finished; \`provision gc\` removes what it left`;
}
