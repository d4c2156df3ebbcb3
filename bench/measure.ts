/** Who is measured, by name. `run` gives milliseconds, or several named ones. */
export type Contenders = Readonly<Record<string, () => Promise<number | Readonly<Record<string, number>>>>>;

/** All numbers of one name, in milliseconds. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/**
 * Everybody in turn, round after round, each round beginning with another: what else the machine does then falls
 * on all alike.
 */
export async function measure(
  contenders: Contenders,
  rounds: number,
  say: (text: string) => void,
): Promise<Samples> {
  const samples = new Map<string, number[]>();
  const all = Object.entries(contenders);
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < all.length; turn++) {
      const [name, run] = all[(round + turn) % all.length] ?? ["", () => Promise.resolve(0)];
      const found = await run();
      const parts = typeof found === "number" ? { "": found } : found;
      for (const [part, ms] of Object.entries(parts)) {
        const key = part === "" ? name : `${name}: ${part}`;
        samples.set(key, [...(samples.get(key) ?? []), ms]);
      }
    }
  }
  return samples;
}

/** The middle of a name's numbers. */
export function median(samples: Samples, name: string): number {
  const sorted = (samples.get(name) ?? []).toSorted((a, b) => a - b);
  const at = Math.floor(sorted.length / 2);
  const middle = sorted.length % 2 === 1 ? [sorted[at]] : [sorted[at - 1], sorted[at]];
  return middle.reduce<number>((sum, each) => sum + (each ?? Number.NaN), 0) / middle.length;
}

/** The quickest: what it takes when nobody is in the way. */
export function least(samples: Samples, name: string): number {
  return Math.min(...(samples.get(name) ?? []));
}

/** The median of one name over another's, round by round, as far as both went: they then ran under the same load. */
export function ratio(samples: Samples, name: string, floor: string): number {
  const floors = samples.get(floor) ?? [];
  const both = (samples.get(name) ?? []).slice(0, floors.length);
  const ratios = both.map((ms, round) => ms / (floors[round] ?? Number.NaN));
  return median(new Map([["", ratios]]), "");
}
