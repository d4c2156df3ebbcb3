import { factKey, type FactAnswer, type FactRequest } from "../core/facts.ts";
import type { Flight } from "../core/host.ts";
import { compileOrder } from "./orders/compile-order.ts";
import { centiseconds, runLimitMs, seconds } from "./orders/run-order.ts";
import { readers } from "./readers/index.ts";
import type { Reader, Section } from "./readers/reader.ts";

/** A group of facts that one program reads. */
export interface FactGroup {
  readonly reader: Reader<never>;
  readonly abouts: readonly FactRequest["about"][];
}

/** A flight made ready to be sent. */
export interface Frame {
  readonly text: string;
  readonly groups: readonly FactGroup[];
  /** By name; what needs no asking. */
  readonly answers: Map<string, FactAnswer>;
  /** All its programs together can take no longer. */
  readonly limitMs: number;
}

/** `delivered` holds the path on the far side for each order whose content went as a file. */
export function compileFlight(
  flight: Flight,
  delivered: ReadonlyMap<string, string>,
  factLimitMs: number | undefined,
): Frame {
  const { groups, answers } = group(flight.facts);
  const limitOf = ({ reader }: FactGroup) => factLimitMs ?? reader.limitMs;
  const orders = flight.orders.map(
    (order, at) => `if begin ${at}; then\n${compileOrder(order, delivered.get(order.id))}\nfi`,
  );
  const sections = groups.map((each, at) => sectionText(each, at, limitOf(each)));
  const limits = [
    ...flight.orders.map(({ action }) => (action.kind === "run" ? runLimitMs(action) : 120_000)),
    ...groups.map(limitOf),
  ];
  return {
    text: ["stopped=0", ...orders, ...sections, ""].join("\n"),
    groups,
    answers,
    limitMs: limits.reduce((sum, ms) => sum + ms + 15_000, 60_000),
  };
}

/** Reads a group's section into its facts' answers. */
export function answer(each: FactGroup, section: Section, answers: Map<string, FactAnswer>): void {
  const found = (each.reader as Reader<FactRequest["about"]>).parse(section, each.abouts);
  each.abouts.forEach((about, at) => {
    answers.set(keyOf(each, about), found[at] ?? { unknown: "the reader gave no answer" });
  });
}

/** Facts whose section never came. */
export function answerUnknown(each: FactGroup, reason: string, answers: Map<string, FactAnswer>): void {
  for (const about of each.abouts) answers.set(keyOf(each, about), { unknown: reason });
}

function keyOf({ reader }: FactGroup, about: FactRequest["about"]): string {
  return factKey({ kind: reader.kind, about } as FactRequest);
}

function group(requests: readonly FactRequest[]): Pick<Frame, "groups" | "answers"> {
  const answers = new Map<string, FactAnswer>();
  const groups: { reader: Reader<never>; abouts: FactRequest["about"][]; room: number }[] = [];
  const seen = new Set<string>();
  for (const request of requests) {
    const key = factKey(request);
    if (seen.has(key)) continue;
    seen.add(key);
    const reader: Reader<never> = readers[request.kind];
    const why = (reader as Reader<FactRequest["about"]>).refuse(request.about);
    if (why) {
      answers.set(key, { unknown: why });
      continue;
    }
    const size = Buffer.byteLength(JSON.stringify(request.about));
    let open = groups.findLast((each) => each.reader === reader);
    if (!open || open.room < size || open.abouts.length === (reader.most ?? 1000)) {
      // A portion fits on a command line whatever the far side's limits, find's own for -exec among them.
      open = { reader, abouts: [], room: 64 * 1024 };
      groups.push(open);
    }
    open.abouts.push(request.about);
    open.room -= size;
  }
  return { groups, answers };
}

function sectionText({ reader, abouts }: FactGroup, at: number, limitMs: number): string {
  const script = (reader as Reader<FactRequest["about"]>).script(abouts);
  return [
    `rc=0 late=0 limit=${seconds(limitMs)} limit_cs=${centiseconds(limitMs)}`,
    `{ ${script}\n} 2>"$d/err"`,
    `said ${at}`,
  ].join("\n");
}
