import { describe } from "./describe.ts";
import { ProvisionError } from "./errors.ts";
import { notTakenBackCode, takenBackCode } from "./guard-script.ts";
import type { Landing } from "./host.ts";
import type { Leg } from "./orders.ts";
import type { Action } from "./task.ts";

/** The error of an order that did not go well. */
export function failed({ view, order }: Leg["orders"][number], landing: Landing | undefined): ProvisionError {
  const use = view.use.id;
  const options = { where: view.use.where };
  const action = describe(order.action);
  switch (landing?.kind) {
    case "failed":
      return (
        takenBack(order.action, landing, use, options) ??
        new ProvisionError("ACTION_FAILED", { use, action, code: landing.code, tail: landing.tail }, options)
      );
    case "timed-out":
      return new ProvisionError("ACTION_TIMED_OUT", { use, action, tail: landing.tail }, options);
    case "changed-underneath": {
      const path = "path" in order.action ? order.action.path : action;
      return new ProvisionError("CHANGED_UNDERNEATH", { use, path }, options);
    }
    case "done":
    case "skipped":
    case undefined:
      throw new Error(`An order of ${use} ended as ${landing?.kind ?? "nothing"}, behind none that failed`);
    default:
      return landing satisfies never;
  }
}

/** The host was away for longer than a guarded change may take. */
function takenBack(
  action: Action,
  { code, tail }: Extract<Landing, { kind: "failed" }>,
  use: string,
  options: { readonly where: Leg["orders"][number]["view"]["use"]["where"] },
): ProvisionError | undefined {
  if (action.kind !== "guard" && action.kind !== "confirm") return undefined;
  const { seconds } = action;
  if (code === takenBackCode) return new ProvisionError("CHANGE_REVERTED", { use, seconds }, options);
  if (code !== notTakenBackCode) return undefined;
  return new ProvisionError("CHANGE_NOT_REVERTED", { use, seconds, tail }, options);
}
