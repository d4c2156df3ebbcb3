/** A stream of the process, as much of it as we write to. */
export interface Stream {
  write(text: string): void;
  readonly isTTY: boolean;
}

/** Standard error, output and input as Node has them. */
export interface Terminal {
  readonly screen: NodeJS.WriteStream;
  readonly other: NodeJS.WriteStream;
  /** Where keys come from, when it is a terminal too. */
  readonly keyboard?: NodeJS.ReadStream;
}

/** The process around a command. Tests hand in their own; `main.ts` hands in the real one. */
export interface Shell {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Standard error and output as Node has them, when both are a terminal that can be redrawn. */
  terminal(): Terminal | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** Who runs it, and on which machine. */
  readonly user: string;
  readonly isRoot: boolean;
  readonly machine: string;
  readonly pid: number;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Asked when a second signal comes and the process ends at once. */
  onHurry(left: () => string): void;
  /** Takes out of an error that nobody caught what must not be shown; the process ends with it. */
  onBug(clean: (text: string) => string): void;
  /** Asks a person one line on the terminal; `undefined` where there is no terminal to ask on. */
  ask(question: string, options?: { readonly secret?: boolean }): Promise<string | undefined>;
}
