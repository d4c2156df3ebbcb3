/** The names that share most with `name`, the likest first; three at most. */
export function nearestNames(name: string, among: readonly string[]): readonly string[] {
  const wanted = pairsOf(name);
  return among
    .map((each) => ({ each, likeness: likeness(wanted, pairsOf(each)) }))
    .filter((found) => found.likeness > 0.4)
    .toSorted((one, other) => other.likeness - one.likeness)
    .slice(0, 3)
    .map(({ each }) => each);
}

/** Dice's coefficient of their pairs of letters: robust where words move, as in a renamed file. */
function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const shared = [...one].filter((pair) => other.has(pair)).length;
  return (2 * shared) / Math.max(one.size + other.size, 1);
}

function pairsOf(text: string): ReadonlySet<string> {
  const letters = text.toLowerCase();
  return new Set(
    Array.from({ length: Math.max(letters.length - 1, 0) }, (_, at) => letters.slice(at, at + 2)),
  );
}
