import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

import { ProvisionError } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import type { Renderer } from "./renderer.ts";
import { lineWriter } from "./lines.ts";
import { chooseStyle } from "./style.ts";

/** Logs of runs that are kept; older ones go, unless they were written to lately: their run may still be at it. */
const kept = 50;
const latelyMs = 86_400_000;

/** A log file that is open, and where. */
export interface LogFile extends Renderer {
  readonly path: string;
  /** Why it ends early, when it does: a full disk is no reason to stop the run. */
  trouble(): string | undefined;
}

/** Opens the log of a run in a folder, and lets go of the oldest ones there. */
export function openLog(
  folder: string,
  options: { readonly command: string; readonly pid: number; readonly path?: string | undefined },
): LogFile {
  const started = new Date().toISOString();
  const name = `${started.replaceAll(/[:.]/g, "-")}-${options.command}-${options.pid}.log`;
  const path = options.path ?? join(folder, name);
  const file = open(path);
  if (options.path === undefined) prune(folder);
  const style = chooseStyle({ isTTY: false }, {}, false);
  const writer = lineWriter({ style, diff: true, verbose: true, now: () => performance.now() });
  let isOpen = true;
  let trouble: string | undefined;
  const write = (line: string) => {
    // Work that nobody waits for any more may still speak after the end.
    if (!isOpen || trouble !== undefined) return;
    try {
      writeSync(file, `${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
  };
  return {
    path,
    trouble: () => trouble,
    report(event) {
      for (const text of writer.lines(event)) for (const line of text.split("\n")) write(line);
      for (const line of extra(event)) write(line);
    },
    async end() {
      isOpen = false;
      closeSync(file);
    },
  };
}

function open(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // What machines print may hold secrets that nobody told us of.
    return openSync(path, "w", 0o600);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const what = `Cannot keep a log: "${path}" must be a file that can be written, is not (${code})`;
    throw new ProvisionError(
      "USAGE",
      { what, mend: "Name a file with --log, in a folder you may write and with space" },
      { cause: error },
    );
  }
}

/** What only the log tells: the frame of the run and its result. */
function extra(event: Event): readonly string[] {
  if (event.kind === "run-started") return [`run ${event.command}`];
  if (event.kind === "run-ended") return [`exit ${event.exitCode}`];
  if (event.kind === "result") return event.text.split("\n");
  return [];
}

function prune(folder: string): void {
  // Names begin with the time, so their order is their age.
  const logs = readdirSync(folder)
    .filter((name) => /^\d{4}-.*\.log$/.test(name))
    .toSorted();
  for (const name of logs.slice(0, -kept)) {
    const path = join(folder, name);
    // Another run that starts may just have removed it.
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - written > latelyMs) rmSync(path, { force: true });
  }
}
