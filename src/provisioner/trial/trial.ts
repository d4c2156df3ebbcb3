import type { Recipe, Use } from "../core/recipe.ts";
import type { Errand } from "../core/task.ts";

/** What is proved, in this order. */
export const proofs = ["empty", "check", "apply", "again", "drift"] as const;

/** One of them. */
export type Proof = (typeof proofs)[number];

/** What each proof says. */
export const proofWords: Readonly<Record<Proof, string>> = {
  empty: "can be planned where there is no machine",
  check: "changes nothing when it is only checked",
  apply: "settles",
  again: "has nothing to change the second time, in one flight",
  drift: "is noticed and mended when somebody spoils it",
};

/** Something to try on a scratch machine: an example of a task, or a spec. */
export interface Trial {
  /** The task, or the spec. */
  readonly subject: string;
  readonly title: string;
  /** What has to be there before. */
  readonly given: Recipe;
  readonly recipe: Recipe;
  /** What spoils a use, where its task and the paths it owns do not say. */
  readonly spoil?: (use: Use) => readonly Errand[] | undefined;
  /** Tried on the machine as the trial before left it; else the machine is made as it was. */
  readonly continues?: true;
  /** Why it is not tried. */
  readonly skip?: string;
}

/** How one proof ended. */
export interface Verdict {
  readonly proof: Proof;
  readonly outcome: "held" | "broken";
  /** What was found, in a few words; with `broken`, what was wanted and what was got. */
  readonly found: string;
  /** With `broken`: what to do. */
  readonly mend?: string;
  readonly ms: number;
}

/** How a trial ended. What comes after a broken proof is not tried. */
export interface TrialResult {
  readonly subject: string;
  readonly title: string;
  readonly verdicts: readonly Verdict[];
  /** Why it was not tried, or not to its end. */
  readonly skipped?: string;
  readonly ms: number;
}

/** Whether something that was wanted was not got. */
export function isBroken({ verdicts }: Pick<TrialResult, "verdicts">): boolean {
  return verdicts.some(({ outcome }) => outcome === "broken");
}
