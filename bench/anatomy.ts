import { join } from "node:path";

import { byCli, bySsh, time } from "./contenders.ts";
import { engineOf } from "./engine.ts";
import { itemsOf, type Item } from "./items.ts";
import { measure, type Samples } from "./measure.ts";
import { watch, type RemoteWork } from "./remote-processes.ts";
import { checkScript, makeScript, settledWords } from "./scripts.ts";
import { startTarget, type Target } from "./target.ts";
import { writeSpec } from "./write-spec.ts";

/** How the benchmark runs. */
export interface AnatomyOptions {
  /** The project's folder. */
  readonly root: string;
  /** The targets' root file system. */
  readonly lower: string;
  readonly scratch: string;
  readonly rounds: number;
  readonly say: (text: string) => void;
}

/** Where the time of a run with nothing to do goes. */
export interface Anatomy {
  readonly start: Samples;
  readonly noOp: Samples;
  /** Read flights and facts of a no-op, by number of items. */
  readonly flights: ReadonlyMap<number, { readonly flights: number; readonly facts: number }>;
  readonly remote: { readonly floor: RemoteWork | undefined; readonly ours: RemoteWork | undefined };
  readonly rounds: number;
}

/** Numbers of items of the no-op; the first is the one that everything else is measured on. */
export const sizes = [60, 120, 240] as const;

/** Takes a no-op apart: the start of the program, the connection, the flight, each further item. */
export async function anatomy(options: AnatomyOptions): Promise<Anatomy> {
  const { rounds, say } = options;
  say("command line");
  const start = await measureStart(options);
  say("no-op");
  return { start, ...(await measureSettled(options)), rounds };
}

function measureStart({ root, rounds, say }: AnatomyOptions): Promise<Samples> {
  const main = join(root, "dist/provisioner/main.js");
  const run = async (...argv: [string, ...string[]]) => (await time(argv)).ms;
  return measure(
    {
      "node -e 0": () => run(process.execPath, "-e", "0"),
      "main.js --help": () => run(process.execPath, main, "--help"),
      "./provision --help": () => run(join(root, "provision"), "--help"),
    },
    rounds * 2,
    say,
  );
}

async function measureSettled(
  options: AnatomyOptions,
): Promise<Pick<Anatomy, "noOp" | "flights" | "remote">> {
  const { lower, scratch, rounds, say } = options;
  const flights = new Map<number, { flights: number; facts: number }>();
  await using small = await startTarget(lower, scratch);
  await using middle = await startTarget(lower, scratch);
  await using large = await startTarget(lower, scratch);
  const machines: Machine[] = [];
  for (const [at, target] of [small, middle, large].entries()) {
    const machine = await settledMachine(target, sizes[at] ?? 0, options);
    machines.push(machine);
    flights.set(machine.size, await noOpFlights(machine, options));
  }
  const first = machines[0];
  if (!first) throw new Error("no machine");
  const engine = await engineOf(first.target, first.spec);
  await engine();
  const nodeFloor = join(options.root, "dist/bench/bench/node-floor.js");
  const noOp = await measure(
    {
      ...Object.fromEntries(
        machines.flatMap((machine) => [
          [`floor ${machine.size}`, () => floorRun(machine)],
          [`provision ${machine.size}`, () => cliRun(machine, options)],
        ]),
      ),
      "ssh2 from Node": async () => {
        const argv = [process.execPath, nodeFloor, String(first.target.port), first.target.identity] as const;
        const { ms, cpuMs, stdout } = await time([...argv], { input: first.check });
        if (!stdout.includes(settledWords)) throw new Error(`the floor by ssh2 failed: ${stdout}`);
        return { wall: ms, cpu: cpuMs };
      },
      engine,
    },
    rounds,
    say,
  );
  say("remote processes");
  const remote = {
    floor: await watch(first.target, scratch, () => floorRun(first)),
    ours: await watch(first.target, scratch, () => cliRun(first, options)),
  };
  return { noOp, flights, remote };
}

/** A target with all items made, and what says so. */
interface Machine {
  readonly target: Target;
  readonly size: number;
  readonly spec: string;
  readonly check: string;
}

async function settledMachine(target: Target, size: number, options: AnatomyOptions): Promise<Machine> {
  const items = itemsOf(size);
  const machine = {
    target,
    size,
    spec: await writeSpec(items, options.scratch),
    check: checkScript(items),
  };
  await mustBeUnsettled(machine);
  await bySsh(target, makeScript(items));
  await mustBeSettled(target, items);
  return machine;
}

async function floorRun({ target, check }: Machine): Promise<Record<string, number>> {
  const { ms, cpuMs, stdout } = await bySsh(target, check);
  if (!stdout.includes(settledWords)) throw new Error(`The floor finds differences:\n${stdout}`);
  return { wall: ms, cpu: cpuMs };
}

async function cliRun(
  { target, spec, size }: Machine,
  options: AnatomyOptions,
): Promise<Record<string, number>> {
  const { ms, cpuMs, stdout, stderr } = await byCli(target, spec, {
    ...options,
    state: options.scratch,
  });
  if (!stdout.includes(`as wanted, ${size} uses`) || !/\b0 changes\b.*\b1 flight\b/.test(stderr))
    throw new Error(`Not a no-op of one flight:\n${stdout}${stderr}`);
  return { wall: ms, cpu: cpuMs };
}

async function noOpFlights(
  { target, spec }: Machine,
  options: AnatomyOptions,
): Promise<{ flights: number; facts: number }> {
  const { stdout } = await byCli(target, spec, { ...options, state: options.scratch, json: true });
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; facts?: number; orders?: number });
  const flown = events.filter(({ kind }) => kind === "flight");
  return { flights: flown.length, facts: flown.reduce((sum, { facts = 0 }) => sum + facts, 0) };
}

async function mustBeSettled(target: Target, items: readonly Item[]): Promise<void> {
  const { stdout } = await bySsh(target, `${checkScript(items)}\nexit 0\n`);
  if (!stdout.includes(settledWords)) throw new Error(`Not made as wanted:\n${stdout}`);
}

/** A check that finds nothing on an empty machine checks nothing. */
async function mustBeUnsettled({ target, check }: Machine): Promise<void> {
  const { stdout } = await bySsh(target, `${check}\nexit 0\n`);
  if (stdout.includes(settledWords)) throw new Error("The floor is content with an empty machine");
}
