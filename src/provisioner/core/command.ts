/** A program and its arguments. Never a shell line: quoting is the host's work. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Exit codes that mean "ran as meant"; 0 alone when left out. */
  readonly accept?: readonly number[];
  /** Text for the program's standard input; empty when left out. */
  readonly stdin?: string;
  /** Variables added to the worker's own (LC_ALL=C, a fixed PATH, HOME of root). */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program printed. `stdout` and `stderr` are UTF-8 text, foreign: never trusted, never run. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
