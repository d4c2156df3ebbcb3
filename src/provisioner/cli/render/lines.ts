import type { Event } from "../../core/events.ts";
import { changeLines } from "./change.ts";
import { errorLines } from "./error.ts";
import type { Renderer, ShowOptions } from "./renderer.ts";
import type { Style } from "./style.ts";
import { visibleLine, visibleText } from "./visible-text.ts";
import {
  actionWords,
  assertionWords,
  duration,
  isQuiet,
  progressWords,
  stepWords,
  useWords,
} from "./words.ts";

/** Without a terminal a step says every so often what it is at, not with every package. */
const progressEveryMs = 10_000;

/** Turns events into lines: what there is to say about one, in order. */
export interface LineWriter {
  readonly lines: (event: Event) => readonly string[];
}

/** What one display in lines needs. */
export interface LinesOptions extends ShowOptions {
  readonly style: Style;
  readonly now: () => number;
}

interface OpenStep {
  readonly title: string;
  readonly depth: number;
  /** The outermost step that it is part of. */
  readonly root: number;
  saidAt: number;
}

/** Writes a run as plain lines, indented by step. */
export function lineWriter({ style, diff, verbose, showsOutput = false, now }: LinesOptions): LineWriter {
  const steps = new Map<number, OpenStep>();
  const outermost = (step: OpenStep) => steps.get(step.root) ?? step;
  const areSeveral = () => [...steps.values()].filter(({ depth }) => depth === 0).length > 1;

  /** Among hosts that are worked on at one time, a line says whose it is. */
  const inStep = (step: number, text: string, deeper = 0): string => {
    const open = steps.get(step);
    const depth = (open?.depth ?? 0) + deeper;
    const whose =
      open && depth > 0 && areSeveral() ? style.dim(`${visibleLine(outermost(open).title)}: `) : "";
    return "  ".repeat(depth) + whose + text;
  };

  function lines(event: Event): readonly string[] {
    switch (event.kind) {
      case "step-started": {
        const parent = event.parent === undefined ? undefined : steps.get(event.parent);
        const depth = parent === undefined ? 0 : parent.depth + 1;
        steps.set(event.step, {
          title: event.title,
          depth,
          root: parent?.root ?? event.step,
          saidAt: now(),
        });
        return [inStep(event.step, visibleLine(event.title))];
      }
      case "step-progress": {
        const step = steps.get(event.step);
        const text = inStep(event.step, style.dim(progressWords(event)), 1);
        if (step === undefined || verbose) return [text];
        if (now() - step.saidAt < progressEveryMs) return [];
        step.saidAt = now();
        return [text];
      }
      case "step-ended": {
        const words = stepWords(steps.get(event.step)?.title ?? "", event);
        const line = inStep(event.step, event.ending === "done" ? words : style.red(words));
        steps.delete(event.step);
        return [line];
      }
      case "use-started":
        return verbose ? [inStep(event.step, style.dim(`at ${visibleLine(event.use)}`), 1)] : [];
      case "use-ended":
        return useLines(event).map((line) => inStep(event.step, line, 1));
      case "output":
        return verbose || showsOutput
          ? [inStep(event.step, style.dim(`| ${visibleLine(event.line, 500)}`), 1)]
          : [];
      case "flight": {
        const words = `flight: ${event.orders} orders, ${event.facts} facts, ${duration(event.ms)}`;
        return verbose ? [inStep(event.step, style.dim(words), 1)] : [];
      }
      case "note":
        return [
          event.level === "warning"
            ? style.yellow(`warning: ${visibleText(event.text)}`)
            : visibleText(event.text),
        ];
      case "assertion":
        return [event.held ? assertionWords(event) : style.red(assertionWords(event))];
      case "error":
        return errorLines(event, style);
      case "run-started":
      case "run-ended":
      case "result":
        return [];
      default:
        return event satisfies never;
    }
  }

  function useLines(event: Extract<Event, { kind: "use-ended" }>): readonly string[] {
    if (isQuiet(event.outcome) && !verbose) return [];
    const paint = {
      ok: style.dim,
      "does-not-apply": style.dim,
      failed: style.red,
      skipped: style.dim,
    } as Record<string, Style["dim"]>;
    const words = useWords(event) + (verbose ? ` (${duration(event.ms)})` : "");
    const changes = event.changes.flatMap((change) => [
      ...changeLines(change, style, { diff }),
      ...(verbose ? actionWords(change).map((action) => style.dim(`do ${action}`)) : []),
    ]);
    return [(paint[event.outcome] ?? style.yellow)(words), ...changes.map((line) => `  ${line}`)];
  }

  return { lines };
}

/** Plain lines on a stream: without a terminal. */
export function linesRenderer(write: (text: string) => void, options: LinesOptions): Renderer {
  const writer = lineWriter(options);
  return {
    report(event) {
      for (const line of writer.lines(event)) write(`${line}\n`);
    },
    end: async () => {},
  };
}
