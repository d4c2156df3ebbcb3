import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";

import { startCutProxy } from "../test/support/cut-proxy.ts";
import { byCli, bySsh, time, type Timed } from "./contenders.ts";
import { engineOf } from "./engine.ts";
import { itemsOf, type Item } from "./items.ts";
import { measure, type Samples } from "./measure.ts";
import { watch, type RemoteWork } from "./remote-processes.ts";
import { checkScript, inspectScript, makeScript, settledWords } from "./scripts.ts";
import { startTarget, type Target } from "./target.ts";
import { writeSpec } from "./write-spec.ts";

/** How the benchmark runs. */
export interface BenchOptions {
  /** The project's folder. */
  readonly root: string;
  /** The targets' root file system. */
  readonly lower: string;
  readonly scratch: string;
  readonly rounds: number;
  readonly firstRounds: number;
  /** Delays to add, in milliseconds. */
  readonly roundTripsMs: readonly number[];
  readonly say: (text: string) => void;
}

/** Everything that was measured. */
export interface Results {
  readonly start: Samples;
  readonly noOp: Samples;
  readonly firstRun: Samples;
  /** Empty when no delay was asked for. */
  readonly far: ReadonlyMap<number, Samples>;
  /** Read flights and facts of a no-op, by number of items. */
  readonly flights: ReadonlyMap<number, { readonly flights: number; readonly facts: number }>;
  readonly remote: { readonly floor: RemoteWork | undefined; readonly ours: RemoteWork | undefined };
  readonly load: readonly [number, number];
  readonly rounds: number;
  readonly firstRounds: number;
}

/** Numbers of items of the no-op; the first is the one that everything else is measured on. */
export const sizes = [60, 120, 240] as const;

/** Measures all of it, one thing after the other. */
export async function bench(options: BenchOptions): Promise<Results> {
  const { rounds, firstRounds, say } = options;
  const before = loadavg()[0] ?? 0;
  say("command line");
  const start = await measureStart(options);
  say("first run");
  const firstRun = await measureFirstRun(options);
  say("no-op");
  const settled = await measureSettled(options);
  const load = [before, loadavg()[0] ?? 0] as const;
  return { start, firstRun, ...settled, load, rounds, firstRounds };
}

function measureStart({ root, rounds, say }: BenchOptions): Promise<Samples> {
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

async function measureFirstRun(options: BenchOptions): Promise<Samples> {
  const { lower, scratch, firstRounds, say } = options;
  const items = itemsOf(sizes[0]);
  const spec = await writeSpec(items, scratch);
  const results = new Map<string, string>();
  const onFresh = (name: string, work: (target: Target) => Promise<Timed>) => async () => {
    await using target = await startTarget(lower, scratch);
    const { ms } = await work(target);
    await mustBeSettled(target, items);
    results.set(name, (await bySsh(target, inspectScript)).stdout);
    if (new Set(results.values()).size > 1) throw await differing(results, scratch);
    return ms;
  };
  return measure(
    {
      script: onFresh("script", (target) => bySsh(target, makeScript(items))),
      provision: onFresh("provision", (target) => byCli(target, spec, { ...options, state: scratch })),
    },
    firstRounds,
    say,
  );
}

async function measureSettled(
  options: BenchOptions,
): Promise<Pick<Results, "noOp" | "far" | "flights" | "remote">> {
  const { lower, scratch, rounds, roundTripsMs, say } = options;
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
  const far = new Map<number, Samples>();
  for (const ms of roundTripsMs) {
    say(`at a round trip of ${ms} ms`);
    far.set(ms, await measureFar(first, ms, options));
  }
  return { noOp, far, flights, remote };
}

/** A target with all items made, and what says so. */
interface Machine {
  readonly target: Target;
  readonly size: number;
  readonly spec: string;
  readonly check: string;
}

async function settledMachine(target: Target, size: number, options: BenchOptions): Promise<Machine> {
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

async function floorRun({ target, check }: Machine, port?: number): Promise<Record<string, number>> {
  const { ms, cpuMs, stdout } = await bySsh(target, check, port);
  if (!stdout.includes(settledWords)) throw new Error(`The floor finds differences:\n${stdout}`);
  return { wall: ms, cpu: cpuMs };
}

async function cliRun(
  { target, spec, size }: Machine,
  options: BenchOptions,
  at: { readonly port?: number; readonly knownHosts?: string } = {},
): Promise<Record<string, number>> {
  const { ms, cpuMs, stdout, stderr } = await byCli(target, spec, {
    ...options,
    ...at,
    state: options.scratch,
  });
  if (!stdout.includes(`as wanted, ${size} uses`) || !/\b0 changes\b.*\b1 flight\b/.test(stderr))
    throw new Error(`Not a no-op of one flight:\n${stdout}${stderr}`);
  return { wall: ms, cpu: cpuMs };
}

async function measureFar(machine: Machine, roundTripMs: number, options: BenchOptions): Promise<Samples> {
  await using proxy = await startCutProxy({ port: machine.target.port });
  proxy.roundTripMs = roundTripMs;
  const knownHosts = join(options.scratch, "known_hosts-far");
  const line = (await time(["cat", machine.target.knownHosts])).stdout;
  await writeFile(knownHosts, line.replace(`:${machine.target.port} `, `:${proxy.port} `));
  const { port } = proxy;
  return await measure(
    {
      floor: () => floorRun(machine, port),
      provision: () => cliRun(machine, options, { port, knownHosts }),
    },
    options.rounds,
    options.say,
  );
}

async function noOpFlights(
  { target, spec }: Machine,
  options: BenchOptions,
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

async function differing(results: ReadonlyMap<string, string>, scratch: string): Promise<Error> {
  const files: string[] = [];
  for (const [name, text] of results) {
    files.push(join(scratch, name));
    await writeFile(join(scratch, name), text);
  }
  const { stdout } = await time(["sh", "-c", 'diff "$@" || :', "diff", ...files]);
  return new Error(`The contenders did not make the same:\n${stdout}`);
}
