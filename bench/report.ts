import { arch, cpus, release, totalmem } from "node:os";

import { execa } from "execa";

import { type Anatomy, sizes } from "./anatomy.ts";
import { least, median, ratio, type Samples } from "./measure.ts";
import type { CellResult } from "./peers/bench.ts";
import { peerBudgets, peerTable, shortcomings } from "./peers/report.ts";
import type { RemoteWork } from "./remote-processes.ts";
import { table } from "./table.ts";

/** What was measured: each part may be missing where it was not asked for. */
export interface Results {
  readonly anatomy: Anatomy | undefined;
  readonly peers: readonly CellResult[];
  /** Versions of others, for people. */
  readonly versions: readonly string[];
  readonly load: readonly [number, number];
  /** Why this is not all of it. */
  readonly cut: string | undefined;
}

/** The whole page: what was measured, on what, and how to do it again. */
export async function report(results: Results): Promise<string> {
  const { anatomy, peers, cut } = results;
  const rows = [...peerBudgets(peers), ...(anatomy === undefined ? [] : budgets(anatomy))];
  return [
    "# Benchmarks",
    "",
    "What `provision` costs beside scripts written by hand and beside Ansible, over SSH to the same machines.",
    "",
    ...(await circumstances(results)),
    ...(cut === undefined ? [] : [`- Not all of it: ${cut}.`]),
    "",
    "`npm run bench` prints this page, `npm run bench -- --write` replaces it. It needs root, mmdebstrap and, the first",
    "time, a network for the targets' root and for Debian's ansible-core. `--only no-op --hosts 1 --rounds 3` measures",
    "less, `--all` every combination. [Builds](benchmarks-of-builds.md), [deploys](benchmarks-of-deploys.md) and",
    "[the installing of tools](benchmarks-of-tools.md) are measured apart.",
    "",
    ...(rows.length === 0 ? [] : ["## Budgets", "", ...table(["what", "budget", "found", ""], rows), ""]),
    ...(peers.length === 0 ? [] : peersSection(peers)),
    ...(anatomy === undefined ? [] : anatomySection(anatomy)),
  ].join("\n");
}

function peersSection(peers: readonly CellResult[]): readonly string[] {
  const short = shortcomings(peers);
  return [
    "## The same work by others",
    "",
    "The same items for everybody, on machines with a systemd and an OpenSSH of their own, in namespaces, their root in",
    "memory; a proxy delays what is to come from afar. A first run begins with an empty machine, nothing to do is on one",
    "that is as wanted, a check finds three items that are not. What everybody says is read, and afterwards a script on",
    "the machine looks at every single item; after a first run all that was made is compared word by word.",
    "",
    "The script is the floor: one `ssh host sh -s` a machine, which checks what it knows by one program for each kind of",
    "thing, and in a first run proves nothing. Ansible is Debian's ansible-core with a step for each item; tuned: no",
    "facts, pipelining, connections kept, all machines at one time. It does not look at the running kernel. Up to 20",
    "machines are worked on at one time; provision and the script start a process for each.",
    "CPU is without the shares of connections that outlive their program, in Ansible's favour.",
    "",
    ...peerTable(peers),
    "",
    ...(short.length === 0 ? [] : ["Fewer rounds than asked for:", "", ...short, ""]),
  ];
}

function anatomySection(results: Anatomy): readonly string[] {
  const [size] = sizes;
  return [
    "## Where the time goes",
    "",
    "`provision apply` on a machine that is as wanted, beside one `ssh host sh -s` of a script that checks the same by",
    `one program for each kind of thing, on a machine without a systemd. Medians of ${results.rounds} rounds. CPU is of this side alone.`,
    "",
    ...table(
      ["items", "script ms", "CPU", "provision ms", "CPU", "best of both", "ratio", "flights", "facts"],
      sizes.map((items) => noOpRow(items, results)),
    ),
    "",
    `Each further item: script ${times(each(results.noOp, "floor"))} ms, provision ${times(each(results.noOp, "provision"))} ms, of which CPU ${times(each(results.noOp, "provision", "cpu"))} ms.`,
    "",
    `Where the time of ${size} items goes:`,
    "",
    ...table(
      ["part", "median ms", "best ms"],
      [
        ["`node -e 0`", ...both(results.start, "node -e 0")],
        ["the script by ssh2 from a bare Node", ...both(results.noOp, "ssh2 from Node: wall")],
        ...["connect, worker, lock", "one flight, plan", "goodbye", "total"].map((part): string[] => [
          `engine alone, warm: ${part}`,
          ...both(results.noOp, `engine: ${part}`),
        ]),
        ["`provision apply`, the whole process", ...both(results.noOp, `provision ${size}: wall`)],
      ],
    ),
    "",
    `What the target does for ${size} items:`,
    "",
    ...table(
      ["", "programs", "processes"],
      [
        ["script", ...remote(results.remote.floor)],
        ["provision", ...remote(results.remote.ours)],
      ],
    ),
    "",
    "In a first run provision proves by reading everything again, writes each file beside its place and moves it there,",
    "and holds a lock; the script does none of it.",
    "",
    "## Command line",
    "",
    ...table(
      ["", "median ms", "best ms", "ratio"],
      ["node -e 0", "main.js --help", "./provision --help"].map((name) => [
        `\`${name}\``,
        ...both(results.start, name),
        times(ratio(results.start, name, "node -e 0")),
      ]),
    ),
    "",
  ];
}

async function circumstances({ load, versions }: Results): Promise<readonly string[]> {
  const ssh = (await execa("ssh", ["-V"])).stderr.split(",")[0] ?? "";
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  const others = versions.map((version) => `${version}, `).join("");
  return [
    `- ${date}; Node ${process.versions.node}, ${others}${ssh}, Linux ${release().split("-")[0]}, ${arch()}, ${cpus().length} processors, ${memory} GiB; both sides on it.`,
    `- Load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ${load[0] > cpus().length ? "others were at work, so trust ratios, not digits" : "quiet before"}.`,
    "- Medians, everybody in turn; ratios are taken round by round.",
    "- The targets are Debian 13 behind an OpenSSH of their own on loopback. The items are packages, files, directories,",
    "  links, groups, users, tmpfiles.d, sysctl, fstab, a time zone, absent files.",
  ];
}

function budgets({ noOp, start, flights }: Anatomy): readonly (readonly string[])[] {
  const [size, , large] = sizes;
  const row = (what: string, budget: number, found: number): readonly string[] => [
    what,
    `≤ ${budget}`,
    times(found),
    found <= budget ? "kept" : "missed",
  ];
  return [
    row(
      "no-op by the engine alone, in a warm process, over the script",
      1.5,
      ratio(noOp, "engine: total", `floor ${size}: wall`),
    ),
    row(`read flights of a no-op of ${large} items`, 1, flights.get(large)?.flights ?? Number.NaN),
    row("each further item with nothing to do, in ms", 1, each(noOp, "provision")),
    row("`main.js --help`, over `node -e 0`", 2, ratio(start, "main.js --help", "node -e 0")),
    row("`./provision --help`, over `node -e 0`", 2, ratio(start, "./provision --help", "node -e 0")),
  ];
}

function noOpRow(items: number, { noOp, flights }: Anatomy): readonly string[] {
  const [floor, ours] = [`floor ${items}`, `provision ${items}`];
  return [
    String(items),
    ms(median(noOp, `${floor}: wall`)),
    ms(median(noOp, `${floor}: cpu`)),
    ms(median(noOp, `${ours}: wall`)),
    ms(median(noOp, `${ours}: cpu`)),
    `${ms(least(noOp, `${floor}: wall`))}, ${ms(least(noOp, `${ours}: wall`))}`,
    times(ratio(noOp, `${ours}: wall`, `${floor}: wall`)),
    String(flights.get(items)?.flights),
    String(flights.get(items)?.facts),
  ];
}

/** What one more item costs, from the smallest size to the largest. */
function each(samples: Samples, name: string, part = "wall"): number {
  const [small, large] = [sizes[0], sizes[2]];
  const rise = least(samples, `${name} ${large}: ${part}`) - least(samples, `${name} ${small}: ${part}`);
  return rise / (large - small);
}

function remote(work: RemoteWork | undefined): readonly string[] {
  if (!work) return ["not counted: strace is missing", ""];
  const counts = new Map<string, number>();
  for (const name of work.programs) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count === 1 ? name : `${name} ×${count}`));
  return [`${work.programs.length}: ${names.join(", ")}`, String(work.processes)];
}

/** Median and best of a name. */
export function both(samples: Samples, name: string): readonly [string, string] {
  return [ms(median(samples, name)), ms(least(samples, name))];
}

function ms(value: number): string {
  return value.toFixed(0);
}

/** A ratio. */
export function times(value: number): string {
  return value.toFixed(2);
}
