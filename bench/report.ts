import { arch, cpus, release, totalmem } from "node:os";

import { execa } from "execa";

import { sizes, type Results } from "./bench.ts";
import { least, median, ratio, type Samples } from "./measure.ts";
import type { RemoteWork } from "./remote-processes.ts";

/** The whole page: what was measured, on what, and how to do it again. */
export async function report(results: Results): Promise<string> {
  const [size] = sizes;
  return [
    "# Benchmarks",
    "",
    "What `provision` costs beside scripts written by hand, over SSH to the same machine.",
    "",
    ...(await circumstances(results)),
    "",
    "`npm run bench` prints this page, `npm run bench -- --write` replaces it. It needs root, mmdebstrap and, the first",
    "time, a network to make the target's root from. Installing tools is [measured apart](benchmarks-of-tools.md).",
    "",
    "## Budgets",
    "",
    ...table(["what", "budget", "found", ""], budgets(results)),
    "",
    "## Nothing to do",
    "",
    `\`provision apply\` on a machine that is as wanted, beside one \`ssh host sh -s\` of a script that checks the same by`,
    "one program for each kind of thing. CPU is of this side alone.",
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
    ...farTables(results),
    `## First run`,
    "",
    `The same ${size} items on an empty machine: packages, files, users and so on. The results of both are compared word by word.`,
    "",
    ...table(
      ["", "median ms", "best ms", "ratio"],
      [
        ["script", ...both(results.firstRun, "script"), "1"],
        [
          "provision",
          ...both(results.firstRun, "provision"),
          times(ratio(results.firstRun, "provision", "script")),
        ],
      ],
    ),
    "",
    "provision proves by reading everything again, writes each file beside its place and moves it there, and holds",
    "a lock; the script does none of it. apt runs twice, as downloads come first and alone.",
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
  ].join("\n");
}

async function circumstances({ load, rounds, firstRounds }: Results): Promise<readonly string[]> {
  const ssh = (await execa("ssh", ["-V"])).stderr.split(",")[0] ?? "";
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return [
    `- ${date}; Node ${process.versions.node}, ${ssh}, Linux ${release().split("-")[0]}, ${arch()}, ${cpus().length} processors, ${memory} GiB; both sides on it.`,
    `- Load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ${load[0] > cpus().length ? "others were at work, so trust ratios, not digits" : "quiet"}.`,
    `- Medians of ${rounds} rounds (first run: ${firstRounds}), everybody in turn; ratios are taken round by round.`,
    "- The target is Debian 13 in namespaces with its root in memory, behind an OpenSSH of its own on loopback.",
    "  It has no systemd, so no units are among the items: packages, files, directories, links, groups, users,",
    "  tmpfiles.d, sysctl, fstab, a time zone, absent files.",
  ];
}

function budgets({ noOp, firstRun, start, flights }: Results): readonly (readonly string[])[] {
  const [size, , large] = sizes;
  const row = (what: string, budget: number, found: number): readonly string[] => [
    what,
    `≤ ${budget}`,
    times(found),
    found <= budget ? "kept" : "missed",
  ];
  const cli = ratio(noOp, `provision ${size}: wall`, `floor ${size}: wall`);
  return [
    row(`no-op of ${size} items, over the script`, 1.5, cli),
    row(
      "the same by the engine alone, in a warm process",
      1.5,
      ratio(noOp, "engine: total", `floor ${size}: wall`),
    ),
    row(`read flights of a no-op of ${large} items`, 1, flights.get(large)?.flights ?? Number.NaN),
    row("each further item with nothing to do, in ms", 1, each(noOp, "provision")),
    row("first run, over the script", 1.15, ratio(firstRun, "provision", "script")),
    row("`main.js --help`, over `node -e 0`", 2, ratio(start, "main.js --help", "node -e 0")),
    row("`./provision --help`, over `node -e 0`", 2, ratio(start, "./provision --help", "node -e 0")),
  ];
}

function noOpRow(items: number, { noOp, flights }: Results): readonly string[] {
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

function farTables({ far }: Results): readonly string[] {
  if (far.size === 0) return [];
  const rows = [...far].map(([delay, samples]) => [
    `${delay} ms`,
    ...both(samples, "floor: wall"),
    ...both(samples, "provision: wall"),
    times(ratio(samples, "provision: wall", "floor: wall")),
  ]);
  const head = ["round trip", "script ms", "best", "provision ms", "best", "ratio"];
  return ["Through a proxy that delays:", "", ...table(head, rows), ""];
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

/** Rows under their heads. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
