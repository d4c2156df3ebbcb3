import { ProvisionError } from "../core/errors.ts";
import { HostLost, type Host, type Landing } from "../core/host.ts";
import { openLink } from "../core/link.ts";
import type { Run } from "../core/run.ts";
import type { RunAction } from "../core/task.ts";
import { ordered, scriptCall, tailOf } from "./call-script.ts";

/** Runs a command in the open window; the machine itself closes the window when the command has ended. */
export async function workInWindow(
  host: Host,
  options: { readonly argv: readonly string[]; readonly minutes: number; readonly run: Run },
): Promise<void> {
  const { argv, minutes, run } = options;
  const call = scriptCall("work", ...argv.map(unexpanded));
  const landing = await runOnce(host, run, { ...call, detached: true, timeoutMs: minutes * 60_000 });
  if (landing?.kind === "done") return;
  const how = landing?.kind === "failed" ? `is ${landing.code}` : `did not end in ${minutes} min`;
  const tail = landing ? tailOf([landing]) : "";
  const facts = { host: host.name, command: argv.join(" "), how, tail };
  throw new ProvisionError("MAINTENANCE_FAILED", facts, { where: host.name });
}

/** systemd fills in variables in what it starts; "$$" is one "$" to it. */
function unexpanded(word: string): string {
  return word.replaceAll("$", "$$$$");
}

/** As a job of the host: it goes on without us, and after a lost connection is attached to again, never begun anew. */
async function runOnce(host: Host, run: Run, action: RunAction): Promise<Landing | undefined> {
  const link = openLink(host, run);
  const flight = { orders: [ordered(action)], facts: [] };
  for (;;) {
    try {
      return (await link.fly(flight)).landings[0];
    } catch (error) {
      if (!(error instanceof HostLost)) throw error;
      const { rebooted } = await link.comeBack(error);
      if (rebooted) return { kind: "failed", code: 255, tail: "The machine was rebooted underneath" };
    }
  }
}
