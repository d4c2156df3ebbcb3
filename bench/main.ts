import { appendFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { packageRoot } from "../src/provisioner/cli/project.ts";
import { baseSettings } from "../src/provisioner/image/base-settings.ts";
import { type Anatomy, anatomy } from "./anatomy.ts";
import { ansible, prepareAnsible, tunedAnsible } from "./peers/ansible.ts";
import { benchPeers, type CellResult } from "./peers/bench.ts";
import { actions, cellsFor } from "./peers/cells.ts";
import { floor } from "./peers/floor.ts";
import { provision } from "./peers/provision.ts";
import { report } from "./report.ts";
import { targetRoot } from "./target-root.ts";

const list = { type: "string", multiple: true } as const;
const { values } = parseArgs({
  options: {
    /** first, no-op, check, anatomy; all of them when left out. */
    only: list,
    hosts: list,
    items: list,
    rtt: list,
    /** Every combination, which takes hours. */
    all: { type: "boolean", default: false },
    rounds: { type: "string", default: "9" },
    /** Time for all that is set beside others. */
    minutes: { type: "string", default: "22" },
    /** Seconds for one run, and for all runs of one contender in one cell. */
    limit: { type: "string", default: "300" },
    budget: { type: "string", default: "45" },
    /** script, provision, tuned, ansible; all of them when left out. */
    who: list,
    write: { type: "boolean", default: false },
  },
});

if (process.getuid?.() !== 0) throw new Error("The benchmark must run as root: its targets are namespaces");
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const root = packageRoot();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const kept = join(cacheDir, "bench");
await mkdir(kept, { recursive: true });
const before = loadavg()[0] ?? 0;
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const numbers = (texts: readonly string[] | undefined) => texts?.map(Number);
const asked = values.only ?? [...actions, "anatomy"];
const everybody = new Map([
  ["script", floor],
  ["provision", provision],
  ["tuned", tunedAnsible],
  ["ansible", ansible],
]);
const contenders = [...everybody].flatMap(([who, each]) =>
  (values.who ?? [who]).includes(who) ? [each] : [],
);
const hasAnsible = contenders.some((each) => [ansible, tunedAnsible].includes(each));
const versions = hasAnsible ? [await prepareAnsible(say)] : [];
const peers: CellResult[] = [];
let parts: Anatomy | undefined;
let trouble: unknown;

const page = (cut: string | undefined) =>
  report({ anatomy: parts, peers, versions, load: [before, loadavg()[0] ?? 0], cut });
const lower = await targetRoot(cacheDir, say);
const scratch = await mkdtemp(join(kept, "run-"));
const [samples, soFar] = [join(kept, "last-samples.jsonl"), join(kept, "last-benchmarks.md")];
await writeFile(samples, "");
say(`every run is written down in ${samples}, the page so far in ${soFar}`);
try {
  if (asked.includes("anatomy"))
    parts = await anatomy({ root, lower, scratch, rounds: Number(values.rounds), say });
  const end = performance.now() + Number(values.minutes) * 60_000;
  const wanted = actions.filter((action) => asked.includes(action));
  const wish = {
    actions: wanted,
    hosts: numbers(values.hosts),
    items: numbers(values.items),
    rttsMs: numbers(values.rtt),
    all: values.all,
  };
  await benchPeers({
    root,
    lower,
    scratch,
    cells: wanted.length === 0 ? [] : cellsFor(wish),
    contenders,
    rounds: Number(values.rounds),
    budgetMs: Number(values.budget) * 1000,
    limitMs: Number(values.limit) * 1000,
    left: () => end - performance.now(),
    signal: stop.signal,
    say,
    keep: async (result) => {
      peers.push(result);
      await writeFile(soFar, await page("it was still being measured"));
    },
    record: (entry) => appendFileSync(samples, `${JSON.stringify(entry)}\n`),
  });
} catch (error) {
  trouble = error;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
const cut = stop.signal.aborted
  ? "it was stopped"
  : trouble === undefined
    ? undefined
    : "it ended with an error";
const text = await page(cut);
process.stdout.write(text);
await writeFile(soFar, text);
if (trouble !== undefined && !stop.signal.aborted) throw trouble;
if (values.write) await writeFile(join(root, "docs/benchmarks.md"), text);
