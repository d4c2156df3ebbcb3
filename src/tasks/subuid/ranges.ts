/** A line of /etc/subuid or /etc/subgid: the numbers from `start` on that somebody may map. */
export interface Range {
  readonly owner: string;
  readonly start: number;
  readonly count: number;
}

/** The range a line speaks of; `undefined` for what is none, which stays where it is. */
export function readRange(line: string): Range | undefined {
  const [, owner = "", start = "", count = ""] = /^([^:#\s][^:]*):(\d+):(\d+)\s*$/.exec(line) ?? [];
  return owner === "" ? undefined : { owner, start: Number(start), count: Number(count) };
}

export function readRanges(text: string): readonly Range[] {
  return text.split("\n").flatMap((line) => readRange(line) ?? []);
}

/** As the line of it stands in the file. */
export function lineOf({ owner, start, count }: Range): string {
  return `${owner}:${start}:${count}`;
}

export function overlaps(one: Range, other: Range): boolean {
  return one.start < other.start + other.count && other.start < one.start + one.count;
}

/** The first `count` numbers between `min` and `max` that no range has, as useradd looks for them. */
export function firstFree(
  taken: readonly Range[],
  { min, max, count }: { readonly min: number; readonly max: number; readonly count: number },
): number | undefined {
  let start = min;
  for (const range of taken.toSorted((one, other) => one.start - other.start)) {
    if (range.start >= start + count) break;
    start = Math.max(start, range.start + range.count);
  }
  return start + count - 1 <= max ? start : undefined;
}

/** The text with this range as its owner's only one, in the place of the first; all other lines stay. */
export function withRange(text: string, range: Range, isOwners: (owner: string) => boolean): string {
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const isTheirs = (line: string) => {
    const found = readRange(line);
    return found !== undefined && isOwners(found.owner);
  };
  const first = lines.findIndex(isTheirs);
  const at = first === -1 ? lines.length : first;
  const others = (part: readonly string[]) => part.filter((line) => !isTheirs(line));
  return [...others(lines.slice(0, at)), lineOf(range), ...others(lines.slice(at)), ""].join("\n");
}
