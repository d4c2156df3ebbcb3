import { moments } from "../image/contract/clause.ts";
import type { Finding } from "../image/verify-image.ts";
import { table } from "./table.ts";

/** What became of one promise; a moment at which it was not looked at is left out. */
export interface Verdict {
  readonly promise: string;
  readonly what: string;
  readonly found: Readonly<Record<string, "held" | "broken">>;
}

/** Findings by promise, in the order of the contract. */
export function verdicts(findings: readonly Finding[]): readonly Verdict[] {
  const whats = new Map(findings.map(({ promise, what }) => [promise, what]));
  return [...whats].map(([promise, what]) => ({
    promise,
    what,
    found: Object.fromEntries(
      findings
        .filter((each) => each.promise === promise)
        .map(({ moment, against }) => [moment, against.length === 0 ? "held" : "broken"] as const),
    ),
  }));
}

/** A row for each promise, a column for each moment. */
export function contractTable(findings: readonly Finding[]): string {
  const rows = verdicts(findings).map(({ what, found }) => [
    what,
    ...moments.map((moment) => found[moment] ?? "-"),
  ]);
  return table(["promise", ...moments], rows);
}
