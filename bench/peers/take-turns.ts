/** What became of one contender: its samples, and why there are no more. */
export interface Turns<Sample> {
  readonly samples: readonly Sample[];
  /** `undefined`: it ran as often as it was to. */
  readonly ended: string | undefined;
}

/** How long everybody may go on. */
export interface Patience {
  readonly rounds: number;
  /** Nobody begins another run once this was spent on its runs; each has one run at least. */
  readonly budgetMs: number;
  /** Milliseconds until everything has to be done. */
  readonly left: () => number;
  readonly now: () => number;
}

/**
 * Everybody in turn, round after round, each round beginning with another, so that what else the machine does falls on
 * all alike. Who fails, or has spent its time, stays out from then on and holds nobody else up.
 */
export async function takeTurns<Sample>(
  contenders: ReadonlyMap<string, (round: number, limitMs: number) => Promise<Sample>>,
  patience: Patience,
): Promise<ReadonlyMap<string, Turns<Sample>>> {
  const { rounds, budgetMs, left, now } = patience;
  const states = [...contenders].map(([name, run]) => ({
    name,
    run,
    samples: [] as Sample[],
    spentMs: 0,
    ended: undefined as string | undefined,
  }));
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < states.length; turn++) {
      const state = states[(round + turn) % states.length];
      if (state === undefined || state.ended !== undefined) continue;
      if (round > 0 && state.spentMs >= budgetMs) state.ended = "slow: fewer rounds";
      else if (left() <= 0) state.ended = "no time left";
      if (state.ended !== undefined) continue;
      const started = now();
      try {
        state.samples.push(await state.run(round, left()));
      } catch (error) {
        state.ended = error instanceof Error ? error.message : String(error);
      }
      state.spentMs += now() - started;
    }
  return new Map(states.map(({ name, samples, ended }) => [name, { samples, ended }]));
}
