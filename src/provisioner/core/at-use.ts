import { ProvisionError } from "./errors.ts";
import type { Use } from "./recipe.ts";

/** An error that says nothing of its place, with the place in the spec that it is about. */
export function atUse({ where }: Use, reason: unknown): unknown {
  if (!(reason instanceof ProvisionError) || reason.where !== undefined) return reason;
  return new ProvisionError(reason.code, reason.facts, { where, cause: reason });
}
