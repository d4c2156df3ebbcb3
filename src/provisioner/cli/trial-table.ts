import { isBroken, proofs, type TrialResult } from "../trial/trial.ts";
import { count, duration } from "./render/words.ts";
import { table } from "./table.ts";

/** What was proved, a row for each trial; below it what is broken, with what was wanted, what was got and the mend. */
export function trialTable(results: readonly TrialResult[], subject: string): string {
  const headings = [subject, "TRIED", ...proofs.map((proof) => proof.toUpperCase()), "TIME", ""];
  const rows = results.map((result) => [
    result.subject,
    result.title,
    ...proofs.map((proof) => cell(result, proof)),
    duration(result.ms),
    result.skipped === undefined ? "" : `skipped: ${oneLine(result.skipped)}`,
  ]);
  return [table(headings, rows), ...results.flatMap(complaint), "", totals(results)].join("\n");
}

function cell({ verdicts }: TrialResult, proof: (typeof proofs)[number]): string {
  const verdict = verdicts.find((each) => each.proof === proof);
  if (verdict === undefined) return "-";
  return verdict.outcome === "broken" ? "BROKEN" : verdict.found;
}

function complaint({ subject, title, verdicts }: TrialResult): readonly string[] {
  return verdicts
    .filter(({ outcome }) => outcome === "broken")
    .flatMap(({ proof, found, mend = "" }) => [
      "",
      `${subject}: ${title}: ${proof}`,
      `  ${found}`,
      `  mend: ${mend}`,
    ]);
}

function totals(results: readonly TrialResult[]): string {
  const skipped = results.filter((result) => result.skipped !== undefined && !isBroken(result)).length;
  const broken = results.filter(isBroken).length;
  const proved = results.length - skipped - broken;
  return `${count(proved, "trial")} proved, ${broken} broken, ${skipped} skipped`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ");
}
