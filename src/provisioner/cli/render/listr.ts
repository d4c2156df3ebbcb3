import { Listr, ListrLogger, ListrTaskState, ProcessOutput } from "listr2";
import type { DefaultRenderer, ListrTaskObject, SimpleRenderer } from "listr2";

import type { Event } from "../../core/events.ts";
import { changeLines } from "./change.ts";
import type { Renderer, ShowOptions } from "./renderer.ts";
import type { Style } from "./style.ts";
import { visibleLine, visibleText } from "./visible-text.ts";
import { assertionWords, duration, isQuiet, progressWords, stepWords, useWords } from "./words.ts";

type Line = ListrTaskObject<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

interface OpenStep {
  readonly line: Line;
  readonly title: string;
  readonly started: number;
  /** What it is at just now. */
  at: string | undefined;
}

/** What the display on a terminal needs. */
export interface ListrOptions extends ShowOptions {
  readonly style: Style;
  readonly now: () => number;
  /** Where it is drawn, and the other stream, held back while it is. */
  readonly screen: NodeJS.WriteStream;
  readonly other: NodeJS.WriteStream;
}

/**
 * A live tree of steps. Listr2 runs lists that are known beforehand; a run's steps become known as it goes, so
 * its one real task is the run itself, and the lines below it are added and set as events come.
 */
export function listrRenderer(options: ListrOptions): Renderer {
  const { style, now } = options;
  let finish: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const list = new Listr<unknown>([{ task: () => ended }], listOptions(options));
  const [root] = list.tasks;
  const steps = new Map<number, OpenStep>();
  let showing: Promise<unknown> | undefined;
  const clock = setInterval(() => {
    for (const { line, title, started, at } of steps.values()) {
      line.title$ = `${title} ${style.dim(duration(now() - started))}`;
      // What was said before the first frame was drawn is lost on listr2.
      if (at !== undefined) line.output$ = at;
    }
  }, 1000);
  clock.unref();

  function add(under: Line | undefined, title: string, state: ListrTaskState): Line | undefined {
    const parent = under ?? root;
    if (parent === undefined) return undefined;
    // Drawn from the first line on: a run that only has a result shows nothing.
    showing ??= list.run();
    const holder = new Listr<unknown>([{ title, task: () => {} }], listOptions(options), parent);
    const [line] = holder.tasks;
    if (line === undefined) return undefined;
    // Resolves at once; it is what makes a line visible.
    void line.check({});
    parent.subtasks = [...(parent.subtasks ?? []), line];
    line.state$ = state;
    return line;
  }

  function report(event: Event): void {
    switch (event.kind) {
      case "step-started": {
        const title = visibleLine(event.title);
        const parent = event.parent === undefined ? undefined : steps.get(event.parent)?.line;
        const line = add(parent, title, ListrTaskState.STARTED);
        if (line) steps.set(event.step, { line, title, started: now(), at: undefined });
        return;
      }
      case "step-progress":
        say(event.step, progressWords(event));
        return;
      case "step-ended":
        endStep(event);
        return;
      case "use-started":
        say(event.step, visibleLine(event.use));
        return;
      case "output":
        if (options.verbose) say(event.step, visibleLine(event.line));
        return;
      case "use-ended": {
        if (isQuiet(event.outcome) && !options.verbose) return;
        const changes = event.changes.flatMap((change) => changeLines(change, style, options));
        const state = event.outcome === "failed" ? ListrTaskState.FAILED : ListrTaskState.COMPLETED;
        add(steps.get(event.step)?.line, [useWords(event), ...changes].join("\n"), state);
        return;
      }
      case "note":
        add(
          undefined,
          visibleText(event.text),
          event.level === "warning" ? ListrTaskState.SKIPPED : ListrTaskState.COMPLETED,
        );
        return;
      case "assertion":
        add(undefined, assertionWords(event), event.held ? ListrTaskState.COMPLETED : ListrTaskState.FAILED);
        return;
      case "flight":
      case "run-started":
      case "run-ended":
      case "result":
      case "error":
        return;
      default:
        event satisfies never;
    }
  }

  function say(step: number, text: string): void {
    const open = steps.get(step);
    if (open === undefined) return;
    open.at = text;
    open.line.output$ = text;
  }

  function endStep(event: Extract<Event, { kind: "step-ended" }>): void {
    const open = steps.get(event.step);
    if (open === undefined) return;
    steps.delete(event.step);
    open.line.title$ = stepWords(open.title, event);
    open.line.state$ = event.ending === "done" ? ListrTaskState.COMPLETED : ListrTaskState.FAILED;
  }

  return {
    report,
    async end() {
      clearInterval(clock);
      finish?.();
      await showing;
    },
  };
}

function listOptions({ screen, other }: ListrOptions) {
  return {
    renderer: "default",
    // Ctrl-C is ours: clean-up comes first.
    registerSignalListeners: false,
    exitOnError: false,
    concurrent: true,
    rendererOptions: {
      collapseSubtasks: false,
      formatOutput: "truncate",
      logger: new ListrLogger({ processOutput: new ProcessOutput(screen, other) }),
    },
  } as const;
}
