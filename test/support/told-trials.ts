import { eventsOf, type LaunchedRun } from "./launcher.ts";

/** What `provision test` says at its end. */
export interface ToldTrials {
  readonly broken: number;
  readonly trials: readonly {
    readonly subject: string;
    readonly title: string;
    readonly skipped?: string;
    readonly verdicts: readonly {
      readonly proof: string;
      readonly outcome: string;
      readonly found: string;
    }[];
  }[];
}

/** The result of a run; `undefined` when it had none. */
export function toldTrials(run: LaunchedRun): ToldTrials | undefined {
  return eventsOf(run, "result")[0]?.data as ToldTrials | undefined;
}

/** What became of each trial, by its task and title: "held" where every proof is, else the reason. */
export function endings(run: LaunchedRun): Readonly<Record<string, string>> {
  const { trials = [] } = toldTrials(run) ?? {};
  return Object.fromEntries(
    trials.map(({ subject, title, skipped, verdicts }) => {
      const broken = verdicts.find(({ outcome }) => outcome !== "held");
      return [`${subject}: ${title}`, skipped ?? broken?.found ?? `${verdicts.length} proofs held`];
    }),
  );
}
