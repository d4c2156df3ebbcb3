import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { closeWindow, mustBeClosed, openWindow } from "./window.ts";
import { workInWindow } from "./work-in-window.ts";

/** The end that the machine itself has armed comes a little after the command's own. */
const spareSeconds = 60;

/** How long a run that was stopped still takes to close the window. */
const graceMs = 120_000;

/** What a window is opened for. */
export interface Maintenance {
  readonly host: Host;
  readonly run: Run;
  readonly minutes: number;
  /** Who, for those who come meanwhile. */
  readonly owner: string;
  /** Logs in once more: after Ctrl-C the line is still busy with the command. */
  readonly reopen: (run: Run) => Promise<Host>;
}

/** Opens a window and leaves it open; it closes by itself. */
export async function openMaintenance(work: Maintenance): Promise<void> {
  await mustBeClosed(work.host, work.run);
  await closingOnFailure(work, () => open(work, work.minutes * 60));
}

/** Opens a window, runs a command in it, and closes it whatever becomes of the command. */
export async function maintainHost(work: Maintenance, argv: readonly string[]): Promise<void> {
  const { host, run, minutes } = work;
  await mustBeClosed(host, run);
  await closingOnFailure(work, async () => {
    await open(work, minutes * 60 + spareSeconds);
    await run.within("Work in it", (inner) => workInWindow(host, { argv, minutes, run: inner }));
  });
  await close(work);
  run.signal.throwIfAborted();
}

function open({ host, run, owner }: Maintenance, seconds: number): Promise<void> {
  return run.within("Open a maintenance window", (inner) => openWindow(host, { seconds, owner, run: inner }));
}

/** What went wrong is what is told; that the window does not close comes beside it. */
async function closingOnFailure(work: Maintenance, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    await closeAfter(error, work);
    throw error;
  }
}

async function closeAfter(error: unknown, work: Maintenance): Promise<void> {
  const { host, run } = work;
  if (error instanceof ProvisionError && error.code === "HOST_LOST" && !run.signal.aborted) {
    run.note(`The window on ${host.name} closes by itself when its time is over, or at a reboot`, "warning");
    return;
  }
  try {
    await close(work);
  } catch (trouble) {
    const reason = trouble instanceof Error ? trouble.message : String(trouble);
    run.note(`${reason}\nIt closes by itself when its time is over and nothing keeps root busy`, "warning");
  }
}

async function close(work: Maintenance): Promise<void> {
  const { host, run } = work;
  try {
    await run.within("Close the maintenance window", (inner) => closeWindow(host, inner));
  } catch (error) {
    if (!run.signal.aborted) throw error;
    await closeAnew(work);
  }
}

/** After Ctrl-C: over a line of its own, with a bound of its own. */
async function closeAnew({ host, run, reopen }: Maintenance): Promise<void> {
  run.note("Closing the maintenance window", "warning");
  const unhurried: Run = { ...run, signal: AbortSignal.timeout(graceMs) };
  // Its goodbye frees the lock; the command goes on until it is told to end.
  await host[Symbol.asyncDispose]();
  await using again = await reopen(unhurried);
  await closeWindow(again, unhurried);
  run.note("The maintenance window is closed", "warning");
}
