/** How a command ended that did not fail. */
export type Ending =
  /** Everything is as wanted. */
  | "as-wanted"
  /** `--check` found changes that wait. */
  | "changes-wait"
  /** Something that was looked at is not as wanted, and nothing was to be done about it. */
  | "not-as-wanted"
  /** Some of several hosts failed, each told by an error of its own: the number of the first. */
  | { readonly exitCode: number };

/** What the shell gets; the numbers of errors are in the error catalogue. */
const exitCodes = {
  "as-wanted": 0,
  "changes-wait": 3,
  "not-as-wanted": 6,
} as const satisfies Record<Ending & string, number>;

/** The number of an ending. */
export function exitCodeOf(ending: Ending): number {
  return typeof ending === "string" ? exitCodes[ending] : ending.exitCode;
}

/** A bug: something was thrown that is no error of ours. */
export const exitBug = 1;

/** The command line says nothing. */
export const exitUsage = 2;

/** Stopped by a signal. */
export const exitStopped = 130;

/** What each number means, for `--help` and the docs. */
export const exitMeanings: ReadonlyMap<number, string> = new Map([
  [0, "as wanted"],
  [1, "a bug of provision"],
  [2, "a spec or the command line is wrong"],
  [3, "changes wait (with --check)"],
  [4, "a host cannot be reached"],
  [5, "a command failed"],
  [6, "not as wanted after all"],
  [7, "locked by another run"],
  [130, "stopped"],
]);
