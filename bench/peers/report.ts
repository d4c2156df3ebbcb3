import { median, ratio, type Samples } from "../measure.ts";
import { table } from "../table.ts";
import type { CellResult, Sample } from "./bench.ts";
import type { Cell } from "./cells.ts";
import type { Turns } from "./take-turns.ts";

const titles = { first: "first run", "no-op": "nothing to do", check: "check" } as const;

/** Rows of the budgets that are about the others. */
export function peerBudgets(results: readonly CellResult[]): readonly (readonly string[])[] {
  const found = (action: Cell["action"]) =>
    results.find(
      ({ cell }) => cell.action === action && cell.hosts === 1 && cell.items === 60 && cell.rttMs === 0,
    );
  const [noOp, first] = [found("no-op"), found("first")];
  return [
    ...verdict(noOp, { what: "no-op of 60 items, over the script", most: 1.5, of: ["provision", "script"] }),
    ...verdict(noOp, {
      what: "tuned Ansible's no-op of 60 items, over provision's",
      least: 20,
      of: ["Ansible, tuned", "provision"],
    }),
    ...verdict(first, { what: "first run, over the script", most: 1.15, of: ["provision", "script"] }),
  ];
}

/** One row for each contender in each cell. */
export function peerTable(results: readonly CellResult[]): readonly string[] {
  const head = [
    "what",
    "hosts",
    "items",
    "round trip",
    "who",
    "runs",
    "median ms",
    "best ms",
    "over the script",
    "over provision",
    "CPU s here",
    "CPU s there",
    "connections",
    "sessions",
  ];
  return table(
    head,
    results.flatMap(({ cell, turns }) =>
      [...turns].map(([name, each]) => [
        titles[cell.action],
        String(cell.hosts),
        String(cell.items),
        `${cell.rttMs} ms`,
        name,
        ...numbers(name, each, turns),
      ]),
    ),
  );
}

/** Why some have fewer runs than others, in a list. */
export function shortcomings(results: readonly CellResult[]): readonly string[] {
  return results.flatMap(({ cell, turns }) =>
    [...turns].flatMap(([name, { ended }]) =>
      ended === undefined
        ? []
        : [
            `- ${name}, ${titles[cell.action]}, ${cell.hosts} × ${cell.items} items at ${cell.rttMs} ms: ${ended.split("\n")[0]}.`,
          ],
    ),
  );
}

function numbers(name: string, { samples }: Turns<Sample>, turns: CellResult["turns"]): readonly string[] {
  if (samples.length === 0) return ["0", "", "", "", "", "", "", "", ""];
  const all = walls(turns);
  const middle = (what: keyof Sample) => median(new Map([["", samples.map((each) => each[what])]]), "");
  const over = (other: string) =>
    other === name || !turns.get(other)?.samples.length ? "" : ratioWords(ratio(all, name, other));
  return [
    String(samples.length),
    middle("ms").toFixed(0),
    Math.min(...samples.map(({ ms }) => ms)).toFixed(0),
    over("script"),
    over("provision"),
    (middle("cpuMs") / 1000).toFixed(2),
    (middle("targetCpuMs") / 1000).toFixed(2),
    middle("connections").toFixed(0),
    middle("sessions").toFixed(0),
  ];
}

function verdict(
  result: CellResult | undefined,
  budget: {
    readonly what: string;
    readonly most?: number;
    readonly least?: number;
    readonly of: readonly [string, string];
  },
): readonly (readonly string[])[] {
  const { what, most, least, of } = budget;
  if (result === undefined || of.some((name) => !result.turns.get(name)?.samples.length)) return [];
  const found = ratio(walls(result.turns), ...of);
  const isKept = found <= (most ?? Infinity) && found >= (least ?? 0);
  const words = most === undefined ? `≥ ${least}` : `≤ ${most}`;
  return [[what, words, ratioWords(found), isKept ? "kept" : "missed"]];
}

function walls(turns: CellResult["turns"]): Samples {
  return new Map([...turns].map(([name, { samples }]) => [name, samples.map(({ ms }) => ms)]));
}

function ratioWords(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
