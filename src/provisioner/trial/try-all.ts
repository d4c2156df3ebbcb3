import { isBroken, type Trial, type TrialResult } from "./trial.ts";
import { tryOne, type Trying } from "./try-one.ts";

/** What is done when a proof is broken. */
export interface TryAllOptions extends Trying {
  /** Ends there, so that the machine can be looked into. */
  readonly stopAtBroken: boolean;
}

/** Makes one trial after the other. */
export async function tryAll(
  trials: readonly Trial[],
  options: TryAllOptions,
): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  for (const trial of trials) {
    const title = `${trial.subject}: ${trial.title}`;
    const broken = results.find(isBroken);
    if (options.stopAtBroken && broken !== undefined) {
      const skipped = `the machine is kept as "${broken.title}" left it`;
      results.push({ subject: trial.subject, title: trial.title, verdicts: [], skipped, ms: 0 });
      continue;
    }
    const result = await options.run.within(title, (run) => tryOne(trial, { ...options, run }), endingWords);
    if (result.skipped !== undefined) options.run.note(`${title}: skipped: ${result.skipped}`, "warning");
    results.push(result);
  }
  return results;
}

function endingWords(result: TrialResult): string {
  if (isBroken(result)) return "broken";
  return result.skipped === undefined ? "proved" : "skipped";
}
