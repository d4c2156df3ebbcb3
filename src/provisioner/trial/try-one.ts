import { converge } from "../core/converge.ts";
import { emptyHost } from "../core/empty-host.ts";
import { type ErrorCode, ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { Sources } from "../core/sources.ts";
import type { Change } from "../core/task.ts";
import type { ScratchMachine } from "../scratch/scratch-machine.ts";
import { Broken } from "./broken.ts";
import { listen } from "./listen.ts";
import { proveAgain } from "./prove-again.ts";
import { proveCheck, type Proving } from "./prove-check.ts";
import { proveDrift } from "./prove-drift.ts";
import { type Proof, proofs, proofWords, type Trial, type TrialResult, type Verdict } from "./trial.ts";

/** What trials are made with. */
export interface Trying {
  readonly scratch: ScratchMachine;
  readonly sources: Sources;
  readonly run: Run;
}

/** What says that a thing cannot be had from here: that is nothing against the task. */
const outOfReach: readonly ErrorCode[] = ["DOWNLOAD_FAILED", "ARTIFACT_MISSING"];

/** Makes the machine as it was, and proves on it all that a task owes. */
export async function tryOne(trial: Trial, { scratch, sources, run }: Trying): Promise<TrialResult> {
  const { subject, title, recipe } = trial;
  const started = run.now();
  const verdicts: Verdict[] = [];
  const end = (skipped?: string): TrialResult => ({
    subject,
    title,
    verdicts,
    ...(skipped !== undefined && { skipped }),
    ms: run.now() - started,
  });
  if (trial.skip !== undefined) return end(trial.skip);

  let made: ReadonlyMap<string, readonly Change[]> = new Map();
  const proving = () => ({ recipe, host: scratch.host, sources, run });
  const work: Readonly<Record<Proof, () => Promise<string>>> = {
    async empty() {
      const host = emptyHost(scratch.distribution);
      const { changed } = await converge(recipe, { host, sources, run: listen(run).run, check: true });
      return `${changed} to change`;
    },
    async check() {
      await prepare(trial, proving());
      return proveCheck(proving());
    },
    async apply() {
      const heard = listen(run);
      const { changed } = await converge(recipe, { ...proving(), run: heard.run, check: false });
      made = heard.changes;
      return changed === 0 ? "nothing to do" : `${changed} changed`;
    },
    again: () => proveAgain(proving()),
    drift: () => proveDrift({ ...proving(), made, spoil: trial.spoil }),
  };
  for (const proof of proofs) {
    // Not a part of the proof: a machine that cannot be made as it was is no fault of the task.
    if (proof === "check" && !trial.continues) await scratch.reset(run);
    const verdict = await prove(proof, work[proof], run);
    if ("skipped" in verdict) return end(verdict.skipped);
    verdicts.push(verdict);
    report(trial, verdict, run);
    if (verdict.outcome === "broken") break;
  }
  return end();
}

async function prepare(
  trial: Trial,
  { host, sources, run }: Pick<Proving, "host" | "sources" | "run">,
): Promise<void> {
  if (trial.given.length === 0) return;
  try {
    await converge(trial.given, { host, sources, run: listen(run).run, check: false });
  } catch (error) {
    if (!(error instanceof ProvisionError) || outOfReach.includes(error.code)) throw error;
    throw new Broken(
      `what "${trial.title}" needs must settle before it, does not: ${error.message}`,
      error.mend,
    );
  }
}

async function prove(
  proof: Proof,
  work: () => Promise<string>,
  run: Run,
): Promise<Verdict | { readonly skipped: string }> {
  const started = run.now();
  try {
    return { proof, outcome: "held", found: await work(), ms: run.now() - started };
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ProvisionError && outOfReach.includes(error.code)) return { skipped: error.message };
    if (!(error instanceof ProvisionError || error instanceof Broken)) throw error;
    const { message, mend } = error;
    return { proof, outcome: "broken", found: message, mend, ms: run.now() - started };
  }
}

function report({ subject, title }: Trial, { proof, outcome, found }: Verdict, run: Run): void {
  const held = outcome === "held";
  run.report({
    kind: "assertion",
    promise: proof,
    moment: `${subject}: ${title}`,
    what: proofWords[proof],
    held,
    ...(!held && { found }),
  });
}
