import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

import { time } from "../contenders.ts";
import { itemsOf, type Item } from "../items.ts";
import { inspectScript, makeScript } from "../scripts.ts";
import { type Cell, cellWords } from "./cells.ts";
import type { Contender } from "./contender.ts";
import { driftCount, driftScript } from "./drift.ts";
import { farFleet, type Fleet, runIn, startFleet } from "./fleet.ts";
import { takeTurns, type Turns } from "./take-turns.ts";
import { mustBeThere, verifyScript } from "./verify-script.ts";
import { watchFleet, type FleetWork } from "./watch-fleet.ts";

/** One run of a contender. */
export interface Sample extends FleetWork {
  readonly ms: number;
  /** Of this side. */
  readonly cpuMs: number;
}

/** What became of everybody in one cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly turns: ReadonlyMap<string, Turns<Sample>>;
}

/** How the contenders are set beside each other. */
export interface PeerOptions {
  /** The project's folder. */
  readonly root: string;
  /** The targets' root file system. */
  readonly lower: string;
  readonly scratch: string;
  readonly cells: readonly Cell[];
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** For the runs of one contender in one cell. */
  readonly budgetMs: number;
  /** For one run. */
  readonly limitMs: number;
  /** Milliseconds until everything has to be done. */
  readonly left: () => number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Told of each cell, and of each run in it. */
  readonly keep: (result: CellResult) => Promise<void>;
  readonly record: (entry: object) => void;
}

/** Measures cell by cell until all are done, time is up or somebody stops it. */
export async function benchPeers(options: PeerOptions): Promise<void> {
  for (const cell of options.cells) {
    if (options.signal.aborted || options.left() <= 0) return;
    options.say(cellWords(cell));
    await options.keep({ cell, turns: await measureOrSay(cell, options) });
  }
}

/** A cell whose machines do not come up, or were touched, is no reason to do without the others. */
async function measureOrSay(cell: Cell, options: PeerOptions): Promise<CellResult["turns"]> {
  try {
    return await measureCell(cell, options);
  } catch (error) {
    const ended = words(error);
    options.say(`  nothing of it: ${ended}`);
    options.record({ ...cell, failure: ended });
    return new Map(options.contenders.map(({ name }) => [name, { samples: [], ended }]));
  }
}

function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}

async function measureCell(cell: Cell, options: PeerOptions): Promise<CellResult["turns"]> {
  const { contenders, rounds, budgetMs, left } = options;
  const items = itemsOf(cell.items);
  const turns = (settled: Fleet | undefined) => {
    const seen = new Map<string, string>();
    const runs = contenders.map((contender) => {
      const run = (round: number, leftMs: number) => {
        const job = { cell, items, contender, round, limitMs: Math.min(options.limitMs, leftMs) };
        return settled ? runOn(settled, job, options) : runOnFresh(job, seen, options);
      };
      return [contender.name, run] as const;
    });
    // Who is stopped is not asked again.
    const patience = { rounds, budgetMs, left: () => (options.signal.aborted ? 0 : left()) };
    return takeTurns(new Map(runs), { ...patience, now: () => performance.now() });
  };
  if (cell.action === "first") return turns(undefined);
  await using fleet = await settledFleet(cell, items, options);
  await using far = await farFleet(fleet, cell.rttMs, options.scratch);
  const found = await turns(far);
  // Nobody may have touched anything.
  await verify(fleet, items, cell.action === "check" ? driftCount : 0);
  return found;
}

interface Job {
  readonly cell: Cell;
  readonly items: readonly Item[];
  readonly contender: Contender;
  readonly round: number;
  readonly limitMs: number;
}

/** Machines as they are wanted, by the script's hand; before a check, some items are not. */
async function settledFleet(cell: Cell, items: readonly Item[], { lower, say }: PeerOptions): Promise<Fleet> {
  const fleet = await startFleet(lower, cell.hosts);
  try {
    say(`${cell.hosts} machines are up, making ${cell.items} items on each`);
    for (const { machine } of fleet.members) {
      if ((await runIn(machine, verifyScript(items))).includes(`good: ${items.length}`))
        throw new Error("The judge is content with an empty machine");
      await runIn(machine, makeScript(items));
    }
    await verify(fleet, items, 0);
    if (cell.action === "check")
      for (const { machine } of fleet.members) await runIn(machine, driftScript(items));
    return fleet;
  } catch (error) {
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
}

async function verify({ members }: Fleet, items: readonly Item[], drifted: number): Promise<void> {
  for (const { machine } of members) mustBeThere(await runIn(machine, verifyScript(items)), items, drifted);
}

/** A first run: on new machines, whose judge looks at every item and compares them with what others made. */
async function runOnFresh(job: Job, seen: Map<string, string>, options: PeerOptions): Promise<Sample> {
  const { cell, items, contender } = job;
  await using fleet = await startFleet(options.lower, cell.hosts);
  await using far = await farFleet(fleet, cell.rttMs, options.scratch);
  const sample = await runOn(far, job, options);
  await verify(fleet, items, 0);
  for (const { machine } of fleet.members) {
    seen.set(contender.name, await runIn(machine, inspectScript));
    const [first, ...others] = [...seen.values()];
    const other = others.find((text) => text !== first);
    if (other !== undefined) throw new Error(`made something else:\n${difference(first ?? "", other)}`);
  }
  return sample;
}

function difference(one: string, other: string): string {
  const [before, after] = [one.split("\n"), other.split("\n")];
  const lines = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  return lines.slice(0, 10).join("\n");
}

async function runOn(fleet: Fleet, job: Job, options: PeerOptions): Promise<Sample> {
  const { cell, items, contender, round, limitMs } = job;
  const { root, scratch, signal, say, record } = options;
  const folder = await mkdtemp(join(scratch, "job-"));
  const launch = await contender.prepare({
    action: cell.action,
    items,
    fleet,
    folder,
    root,
    drifted: driftCount,
  });
  try {
    const since = await watchFleet(fleet);
    const { ms, cpuMs, ...said } = await time(launch.argv, { ...launch.options, limitMs, signal });
    const sample = { ms, cpuMs, ...(await since()) };
    await launch.judge(said);
    record({ ...cell, contender: contender.name, round, ...sample });
    say(`  ${contender.name}: ${Math.round(ms)} ms`);
    return sample;
  } catch (error) {
    const failure = words(error);
    record({ ...cell, contender: contender.name, round, failure });
    say(`  ${contender.name}: ${failure}`);
    throw error;
  } finally {
    await launch.cleanUp?.();
  }
}
