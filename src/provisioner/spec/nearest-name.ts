/** The known name that is most like `name`, when one is like it at all. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // A third of the letters may differ: "sysclt" finds "sysctl", "nginx" finds nothing.
  const furthest = Math.max(1, Math.floor(name.length / 3));
  let best: { readonly name: string; readonly far: number } | undefined;
  for (const candidate of known) {
    const far = distance(name.toLowerCase(), candidate.toLowerCase());
    if (far <= furthest && (best === undefined || far < best.far)) best = { name: candidate, far };
  }
  return best?.name;
}

/** Letters to insert, remove, replace or swap with their neighbour. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      line[column] = Math.min(
        cell(above, column) + 1,
        cell(line, column - 1) + 1,
        cell(above, column - 1) + (same ? 0 : 1),
        swapped ? cell(before, column - 2) + 1 : Infinity,
      );
    }
    before = above;
    above = line;
  }
  return cell(above, to.length);
}

function cell(line: readonly number[], column: number): number {
  return line[column] ?? Infinity;
}
