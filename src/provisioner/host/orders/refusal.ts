import { ProvisionError } from "../../core/errors.ts";
import type { Errand } from "../../core/host.ts";

/** An order that is not sent at all. */
export function refusal(action: string, reason: string): ProvisionError {
  return new ProvisionError("ACTION_REFUSED", { action, reason });
}

/** An action in a few words, for messages. */
export function describeAction(action: Errand): string {
  return action.kind === "run" ? `run ${action.command.argv.join(" ")}` : `${action.kind} ${action.path}`;
}
