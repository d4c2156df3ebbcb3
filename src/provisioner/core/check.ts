import { canTouch } from "./effects.ts";
import { ProvisionError } from "./errors.ts";
import type { UseOutcome } from "./events.ts";
import type { View } from "./look.ts";
import type { Run } from "./run.ts";
import { Refusal, type Action } from "./task.ts";

/**
 * Reports what a run would do. A use behind one that can change what it reads is never `ok`: it may change too.
 * Gives how many may change. Throws FACT_UNKNOWN or TASK_REFUSED for the
 * first use that no earlier one can help.
 */
export function reportPlan(views: readonly View[], run: Run): number {
  const ahead: { readonly id: string; readonly action: Action }[] = [];
  let stuck: View | undefined;
  let mayChange = 0;
  for (const view of views) {
    const { use, changes, asked, applies } = view;
    // No use makes another distribution of a machine.
    const after = !applies
      ? undefined
      : ahead.find(({ action }) => [...asked.values()].some((fact) => canTouch(action, fact)))?.id;
    const report = (outcome: UseOutcome) =>
      run.report({
        kind: "use-ended",
        step: run.step,
        use: use.id,
        outcome,
        changes,
        ms: 0,
        ...(after !== undefined && { after }),
      });
    if (!applies) report("does-not-apply");
    else if (changes.length > 0) report("would-change");
    else if (after !== undefined) {
      report("may-change");
      mayChange += 1;
    } else if (!view.unknown) report("ok");
    else {
      report("failed");
      stuck ??= view;
    }
    for (const { actions } of changes) for (const action of actions) ahead.push({ id: use.id, action });
  }
  if (stuck) throw unknownFact(stuck);
  return mayChange;
}

/** The error of a use whose fact cannot be known, or that refuses what it found. */
export function unknownFact({ use, unknown }: View): ProvisionError {
  if (unknown instanceof Refusal) {
    const facts = { use: use.id, reason: unknown.message };
    return new ProvisionError("TASK_REFUSED", facts, { where: use.where, cause: unknown });
  }
  return new ProvisionError(
    "FACT_UNKNOWN",
    { use: use.id, fact: unknown?.key ?? "", reason: unknown?.reason ?? "" },
    { where: use.where, cause: unknown },
  );
}
