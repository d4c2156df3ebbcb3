import { ProvisionError } from "../../core/errors.ts";
import type { Run } from "../../core/run.ts";
import type { ToolOutcome } from "../../tools/install-tools.ts";
import { table } from "../table.ts";

/** What became of the tools, for people: those that were touched, then the counts. */
export function outcomeText(
  prefix: string,
  outcomes: readonly ToolOutcome[],
  skipped: readonly string[],
): string {
  const rows = outcomes.filter(({ outcome }) => outcome !== "as-wanted").map(rowOf);
  const counts = (["installed", "changed", "repaired", "failed", "as-wanted"] as const).flatMap((word) => {
    const number = outcomes.filter(({ outcome }) => outcome === word).length;
    return number === 0 ? [] : [`${number} ${word.replace("-", " ")}`];
  });
  const left = skipped.length === 0 ? "" : `; not for this machine: ${skipped.join(", ")}`;
  const last = `${counts.join(", ")} in ${prefix}${left}`;
  return rows.length === 0 ? last : `${table(["TOOL", "VERSION", "OUTCOME"], rows)}\n${last}`;
}

/** The same for programs. */
export function outcomeData(
  prefix: string,
  outcomes: readonly ToolOutcome[],
  skipped: readonly string[],
): unknown {
  const tools = outcomes.map(({ error, replaced, ...rest }) => ({
    ...rest,
    ...(replaced.length > 0 && { replaced }),
    ...(error && { error: { code: error.code, message: error.message, mend: error.mend } }),
  }));
  return { prefix, tools, skipped };
}

/** Says where files of others were put. */
export function noteReplaced(run: Run, outcomes: readonly ToolOutcome[]): void {
  for (const { name, replaced } of outcomes) {
    for (const path of replaced) run.note(`${name}: what was in the way is kept as ${path}`, "warning");
  }
}

/** Ends the run with the error of the tool that failed, or with one for all of them. */
export function throwFailures(outcomes: readonly ToolOutcome[]): void {
  const failed = outcomes.flatMap(({ name, error }) => (error ? [{ name, error }] : []));
  const [first] = failed;
  if (first === undefined) return;
  if (failed.length === 1) throw first.error;
  throw new ProvisionError("TOOLS_FAILED", {
    failed: failed.map(({ name, error }) => ({ name, reason: error.message, mend: error.mend })),
  });
}

function rowOf({ name, version, from, outcome }: ToolOutcome): readonly string[] {
  if (outcome === "failed") return [name, version, from === undefined ? "failed" : `failed, ${from} stays`];
  if (outcome === "changed") return [name, version, `changed from ${from ?? "none"}`];
  return [name, version, outcome];
}
