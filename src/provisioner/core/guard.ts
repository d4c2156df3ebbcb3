import type { Change, FileStat } from "./task.ts";

/** Where a machine keeps what it would take back. In memory: a reboot ends every guard. */
export const guardRoot = "/run/provision-guard";

/** How long a guarded change waits to be confirmed. What a guard watches over must itself end well before. */
export const guardSeconds = 180;

/** A change that could cut the line, and how the machine takes it back by itself. */
export interface Guard {
  /** One for each thing that is guarded: "wireguard-wg0". Letters, digits, `-` and `_`. */
  readonly name: string;
  /** Files that are put back as they were, or removed where there were none. Their directories stay. */
  readonly keeps: readonly string[];
  /** POSIX shell text, run once they are back: it brings them into effect. In a file that root alone can read. */
  readonly restore: string;
}

/** From here on the machine takes back what is done, unless it is confirmed in time. */
export interface GuardAction extends Guard {
  readonly kind: "guard";
  readonly seconds: number;
}

/** Ends a guard. It travels over a connection that was made after all that stands before it was done. */
export interface ConfirmAction {
  readonly kind: "confirm";
  readonly name: string;
  readonly seconds: number;
}

/** The directory that is there while a guard is armed: its `stat` is what a task has to know of it. */
export function guardPlace(name: string): string {
  return `${guardRoot}/${name}`;
}

/**
 * Puts changes of one use under a guard. `armed` is what was found at its place: a change that was cut off between
 * its last action and its confirmation only has to be confirmed.
 */
export function guarded(
  changes: readonly Change[],
  guard: Guard,
  armed: FileStat | undefined,
): readonly Change[] {
  const { name } = guard;
  const arm: GuardAction = { kind: "guard", seconds: guardSeconds, ...guard };
  const confirm: ConfirmAction = { kind: "confirm", name, seconds: guardSeconds };
  const last = changes.length - 1;
  if (last < 0) {
    return armed ? [{ what: name, from: "not confirmed", to: "confirmed", actions: [confirm] }] : [];
  }
  return changes.map((change, at) => ({
    ...change,
    actions: [...(at === 0 ? [arm] : []), ...change.actions, ...(at === last ? [confirm] : [])],
  }));
}
