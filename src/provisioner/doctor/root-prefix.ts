import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";
import type { Patient } from "./machine.ts";

/** What a command is put behind to run as root; throws DOCTOR_NEEDS_ROOT where there is no way. */
export async function rootPrefix(patient: Patient, run: Run): Promise<readonly string[]> {
  if (patient.uid === 0) return [];
  try {
    // A password would be asked for behind the progress display, where nobody sees the question.
    await program(["sudo", "--non-interactive", "true"], { run });
    return ["sudo", "--non-interactive", "--"];
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    throw new ProvisionError("DOCTOR_NEEDS_ROOT", { user: patient.user }, { cause: error });
  }
}
