import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { doctor } from "../doctor/doctor.ts";
import type { Shell } from "./shell.ts";

/** Before guests are booted: installs what is missing with `yes`, else says it with the mend. */
export async function makeReady(
  shell: Shell,
  options: { readonly yes: boolean; readonly cacheDir: string },
  run: Run,
): Promise<void> {
  const findings = await doctor(run, {
    ...options,
    fix: true,
    confirm: async (question) => /^y(es)?$/i.test((await shell.ask(`${question}? [y/N] `)) ?? ""),
  });
  const sick = findings.filter(({ state }) => state === "missing");
  if (sick.length > 0) {
    throw new ProvisionError("MACHINE_NOT_READY", {
      lacks: sick.map(({ name, mend }) => `${name} (${mend ?? ""})`),
    });
  }
}
