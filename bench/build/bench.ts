import { loadavg } from "node:os";
import { join } from "node:path";

import { loadSpec } from "../../src/provisioner/cli/compose.ts";
import { startSystemdHost, type SystemdHost } from "../../test/support/systemd-host.ts";
import { byCli, bySsh } from "../contenders.ts";
import { measure, type Samples } from "../measure.ts";
import { madeWords, makeScript } from "./script.ts";
import { usesOf } from "./uses.ts";

/** How the benchmark runs. */
export interface BuildBenchOptions {
  /** The project's folder. */
  readonly root: string;
  /** A Debian root with systemd. */
  readonly lower: string;
  readonly scratch: string;
  readonly rounds: number;
  readonly say: (text: string) => void;
}

/** Everything that was measured. */
export interface BuildResults {
  readonly samples: Samples;
  /** Of one run without packages. */
  readonly flights: readonly { readonly orders: number; readonly facts: number; readonly ms: number }[];
  readonly uses: number;
  readonly load: readonly [number, number];
  readonly rounds: number;
}

/** Names of what is compared. */
export const pairs = [
  { title: "all of it", script: "script", ours: "provision", withPackages: true },
  {
    title: "all but packages",
    script: "script, no packages",
    ours: "provision, no packages",
    withPackages: false,
  },
] as const;

const spec = "base";
/** What --skip takes for all uses of packages. */
const packages = ["apt *"];

/** The guest-side work of a build of specs/base.yaml, each time on a fresh machine. */
export async function benchBuild(options: BuildBenchOptions): Promise<BuildResults> {
  const { root, rounds, say } = options;
  const before = loadavg()[0] ?? 0;
  const { recipe } = await loadSpec(spec, { cwd: root, env: {} }, { forHost: true });
  const uses = usesOf(recipe);
  let flights: BuildResults["flights"] = [];
  const contenders = pairs.flatMap(({ script, ours, withPackages }) => [
    [
      script,
      () =>
        onFresh(options, async (host) => {
          const { ms, stdout } = await bySsh(host, makeScript(uses, withPackages));
          if (!stdout.includes(madeWords)) throw new Error(`The script stopped early:\n${stdout}`);
          // What was restarted for which file is a memory of provision's own.
          const own = [...uses.restarted, ...uses.reloaded].map((unit) => `systemd-unit ${unit}`);
          await mustBeSettled(host, options, withPackages ? own : [...own, ...packages]);
          return ms;
        }),
    ] as const,
    [
      ours,
      () =>
        onFresh(options, async (host) => {
          const { ms, stdout } = await byProvision(host, options, withPackages ? [] : packages);
          if (!withPackages) flights = flightsOf(stdout);
          return ms;
        }),
    ] as const,
  ]);
  const samples = await measure(Object.fromEntries(contenders), rounds, say);
  return { samples, flights, uses: recipe.length, load: [before, loadavg()[0] ?? 0], rounds };
}

async function onFresh(
  { lower }: BuildBenchOptions,
  work: (host: SystemdHost) => Promise<number>,
): Promise<number> {
  await using host = await startSystemdHost(lower);
  return await work(host);
}

function byProvision(
  host: SystemdHost,
  { root, scratch }: BuildBenchOptions,
  skipped: readonly string[],
  more: readonly string[] = [],
) {
  const skip = skipped.length === 0 ? [] : ["--skip", ...skipped];
  return byCli(host, spec, { root, state: join(scratch, "state"), json: true, more: [...more, ...skip] });
}

/** Both must have made the same: nothing is left to do, in the eyes of provision. */
async function mustBeSettled(
  host: SystemdHost,
  options: BuildBenchOptions,
  skipped: readonly string[],
): Promise<void> {
  await byProvision(host, options, skipped, ["--check"]).catch((error: unknown) => {
    const lines = error instanceof Error ? error.message.split("\n") : [];
    const left = lines.filter((line) => line.includes("would-change") || line.includes('"error"'));
    throw new Error(`The script did not make the same:\n${left.join("\n")}`, { cause: error });
  });
}

function flightsOf(stdout: string): BuildResults["flights"] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { kind: string; orders: number; facts: number; ms: number })
    .filter(({ kind }) => kind === "flight");
}
