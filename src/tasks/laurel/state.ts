import { type Facts, Refusal, type UnitState } from "../../provisioner/core/task.ts";
import { stampFile } from "../scripts/service.ts";
import { files, programs, RULES_STAMP, STAMP, UNIT } from "./files.ts";
import { lookCommand } from "./scripts.ts";

/** laurel and auditd as they were found. */
export interface State {
  readonly unit: UnitState;
  /** Where laurel is; `undefined` where it is not. */
  readonly program: string | undefined;
  readonly isRunning: boolean;
  /** False where there is no machine yet. */
  readonly isThere: boolean;
  readonly settings: string | undefined;
  readonly plugin: string | undefined;
  readonly rules: string | undefined;
  readonly stamp: string | undefined;
  readonly rulesStamp: string | undefined;
}

/** All of it in one flight. */
export async function readState(facts: Facts): Promise<State> {
  const [unit, look, settings, plugin, rules, stamp, rulesStamp] = await Promise.all([
    facts.unit(UNIT),
    facts.query(lookCommand),
    facts.file(files.settings),
    facts.file(files.plugin),
    facts.file(files.rules),
    facts.file(stampFile(STAMP)),
    facts.file(stampFile(RULES_STAMP)),
  ]);
  const lines = look.stdout.split("\n");
  const program = lines.find((line) => line.startsWith("/"));
  const isRunning = lines.includes("runs");
  return { unit, program, isRunning, isThere: look.code === 0, settings, plugin, rules, stamp, rulesStamp };
}

/** Where laurel is, or will be. */
export function programThere({ unit, program, isThere }: State): string {
  const [usual = ""] = programs;
  if (!isThere) return program ?? usual;
  const mend =
    "start from an image with the spec monitoring, or put `apt: {name: audit trail, present: [auditd, laurel]}` before this use";
  if (program === undefined) throw new Refusal(`laurel must be at ${programs.join(" or ")}, is not; ${mend}`);
  if (unit.load === "not-found") throw new Refusal(`${UNIT} must be there, is not; ${mend}`);
  return program;
}
