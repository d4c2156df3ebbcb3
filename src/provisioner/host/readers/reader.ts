import type { FactAnswer, FactRequest } from "../../core/facts.ts";

/** What a section of a frame gave. */
export interface Section {
  readonly stdout: Buffer;
  /** How many bytes of it there were, kept or not. */
  readonly size: number;
  readonly stderr: string;
  /** The worst exit code of its programs. */
  readonly code: number;
  /** A program ran out of its time. */
  readonly late: boolean;
  /** `stdout` was longer than is kept. */
  readonly truncated: boolean;
}

/** How one kind of fact is read: one process on the far side, however many are asked for. */
export interface Reader<About = string> {
  readonly kind: FactRequest["kind"];
  /** Bound on its time. */
  readonly limitMs: number;
  /** Bound on the standard output that is kept, in bytes. */
  readonly cap: number;
  /** How many it takes at once; as many as a command line holds when left out. */
  readonly most?: number;
  /** Why one is not even asked for, or `undefined`. */
  refuse(about: About): string | undefined;
  /** Shell text; programs that look go through `t`, which bounds them. Few enough for one command line, none twice. */
  script(abouts: readonly About[]): string;
  /** One answer for each, in order. Nobody's answer is "absent" unless the section proves it. */
  parse(section: Section, abouts: readonly About[]): readonly FactAnswer[];
}

/** The usual bounds. */
export const usual = { limitMs: 60_000, cap: 8 * 1024 * 1024 } as const;

/** A fact that is known to be not there. */
export const absent: FactAnswer = { value: undefined };

/** Why a section as a whole says nothing about what it did not print; `undefined` when its programs ran. */
export function whyFailed(section: Section, fine: readonly number[] = [0]): string | undefined {
  if (section.late) return "timed out";
  if (section.truncated) return "truncated: the section printed more than is kept";
  if (fine.includes(section.code)) return undefined;
  const said = section.stderr.trim().split("\n")[0] ?? "";
  if (section.code === 126 || section.code === 127) return `tool missing: ${said}`;
  return said === "" ? `the reader ended with code ${section.code}` : `${said} (code ${section.code})`;
}

/** Lines without the newline that ends the last. */
export function lines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
