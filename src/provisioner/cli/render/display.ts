import type { Event } from "../../core/events.ts";
import type { Shell } from "../shell.ts";
import { errorLines } from "./error.ts";
import { jsonRenderer } from "./json.ts";
import { linesRenderer } from "./lines.ts";
import type { Renderer } from "./renderer.ts";
import { chooseStyle } from "./style.ts";

/** What the flags say about what is shown. */
export interface DisplayOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly diff?: boolean;
  readonly color: boolean;
  /** Shows nothing of the run but its result and its error. */
  readonly quiet: boolean;
  /** Shows all that programs print, which a live tree has no room for. */
  readonly showsOutput?: boolean;
}

/** The end of a run: its counts, and where its log is. */
export interface Closing {
  readonly summary: string;
  readonly log: string | undefined;
}

/** A display of one run on a shell. */
export interface Display {
  report(event: Event): void;
  close(closing: Closing | undefined): Promise<void>;
}

/** Chooses how a run is shown: JSON lines, a live tree on a terminal, or plain lines. */
export async function openDisplay(shell: Shell, options: DisplayOptions): Promise<Display> {
  if (options.json === true) {
    const json = jsonRenderer((text) => shell.stdout.write(text));
    return { report: json.report, close: () => json.end() };
  }
  const style = chooseStyle(shell.stderr, shell.env, options.color);
  const { quiet, diff = false, verbose = false, showsOutput = false } = options;
  const show = { diff, verbose, showsOutput };
  const write = (text: string) => shell.stderr.write(text);
  const lines = linesRenderer(write, { ...show, style, now: () => performance.now() });
  const live = quiet || showsOutput ? undefined : await liveRenderer(shell, { ...show, style });
  const showResult = (text: string) => shell.stdout.write(text.replace(/\n?$/, "\n"));
  // What comes last stands below the tree, so it waits until the tree stands still.
  const last: Event[] = [];

  return {
    report(event) {
      // Nothing is drawn that it could break, and what goes on for long is read as it comes.
      if (quiet && event.kind === "result") showResult(event.text);
      else if (event.kind === "result" || event.kind === "error") last.push(event);
      else (live ?? lines).report(event);
    },
    async close(closing) {
      await live?.end();
      for (const event of last) {
        if (event.kind === "error") write(`${errorLines(event, style).join("\n")}\n`);
        if (event.kind === "result") showResult(event.text);
      }
      if (closing) {
        write(`${closing.summary}\n`);
        if (closing.log !== undefined) write(style.dim(`log: ${closing.log}\n`));
      }
    },
  };
}

/** The live tree needs both streams on a terminal: what else is written there would break it. */
async function liveRenderer(
  shell: Shell,
  options: {
    readonly diff: boolean;
    readonly verbose: boolean;
    readonly showsOutput: boolean;
    readonly style: ReturnType<typeof chooseStyle>;
  },
): Promise<Renderer | undefined> {
  const streams = shell.terminal();
  if (streams === undefined) return undefined;
  const { listrRenderer } = await import("./listr.ts");
  return listrRenderer({ ...options, ...streams, now: () => performance.now() });
}
