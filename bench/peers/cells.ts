/** What contenders are asked to do. */
export const actions = ["first", "no-op", "check"] as const;
export type Action = (typeof actions)[number];

/** One thing to measure: everybody does it on the same machines. */
export interface Cell {
  readonly action: Action;
  readonly hosts: number;
  readonly items: number;
  /** Added to every round trip. */
  readonly rttMs: number;
}

/** What of it is wanted; `undefined`: whatever the usual cells hold. */
export interface Wish {
  readonly actions?: readonly Action[] | undefined;
  readonly hosts?: readonly number[] | undefined;
  readonly items?: readonly number[] | undefined;
  readonly rttsMs?: readonly number[] | undefined;
  /** Every combination, which takes hours. */
  readonly all?: boolean | undefined;
}

const middle: Cell = { action: "no-op", hosts: 1, items: 60, rttMs: 0 };
const axes = { hosts: [1, 5, 20], items: [60, 240], rttsMs: [0, 10, 50] } as const;

/** One axis at a time, what matters most first: a run that is cut short has it. */
const usual: readonly Cell[] = [
  middle,
  { ...middle, action: "first" },
  { ...middle, action: "check" },
  { ...middle, rttMs: 10 },
  { ...middle, rttMs: 50 },
  { ...middle, hosts: 5 },
  { ...middle, items: 240 },
  { ...middle, hosts: 20 },
];

/** The cells to measure. Where the usual ones hold none of what is wished for, all combinations of the wish. */
export function cellsFor(wish: Wish): readonly Cell[] {
  const fits = ({ action, hosts, items, rttMs }: Cell) =>
    isIn(wish.actions, action) &&
    isIn(wish.hosts, hosts) &&
    isIn(wish.items, items) &&
    isIn(wish.rttsMs, rttMs);
  const found = usual.filter(fits);
  if (!wish.all && found.length > 0) return found;
  const every = wish.all ?? false;
  return (wish.items ?? (every ? axes.items : [middle.items])).flatMap((items) =>
    (wish.hosts ?? (every ? axes.hosts : [middle.hosts])).flatMap((hosts) =>
      (wish.rttsMs ?? (every ? axes.rttsMs : [middle.rttMs])).flatMap((rttMs) =>
        (wish.actions ?? (every ? actions : [middle.action])).map((action) => ({
          action,
          hosts,
          items,
          rttMs,
        })),
      ),
    ),
  );
}

/** For people. */
export function cellWords({ action, hosts, items, rttMs }: Cell): string {
  return `${action}, ${hosts} ${hosts === 1 ? "host" : "hosts"}, ${items} items, ${rttMs} ms`;
}

function isIn<Value>(wanted: readonly Value[] | undefined, value: Value): boolean {
  return wanted === undefined || wanted.includes(value);
}
