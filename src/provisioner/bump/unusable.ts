import { ProvisionError } from "../core/errors.ts";

/** An entry of versions.yaml that says too little, or the wrong thing, of where its next version comes from. */
export function unusable(tool: string, reason: string, mend: string): ProvisionError {
  return new ProvisionError("PIN_SOURCE_UNUSABLE", { tool, reason, mend });
}
