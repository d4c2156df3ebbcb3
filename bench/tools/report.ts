import { cpus, release, totalmem } from "node:os";

import { least, median, ratio, type Samples } from "../measure.ts";
import { both, times } from "../report.ts";
import { table } from "../table.ts";
import { trees } from "./archives.ts";
import type { Results } from "./bench.ts";
import { peers, widths } from "./contenders.ts";

/** The whole page: what was measured, on what, and how to do it again. */
export function report(results: Results): string {
  const { archives, cold, download, warm, peakMiB, rounds, coldRounds, load } = results;
  const packed = archives.reduce((sum, { bytes }) => sum + bytes, 0);
  const large = archives.find(({ tool }) => tool === trees.large)?.bytes ?? 0;
  return [
    "# Benchmarks of installing tools",
    "",
    `What \`provision install\` costs beside curl and tar: ${archives.length} tools, ${mib(packed)} MiB packed, one of them a tree of`,
    `${mib(large)} MiB with 45 programs. The content is machine code; the server is a process on loopback.`,
    "",
    `- ${new Date().toISOString().slice(0, 10)}; Node ${process.versions.node}, Linux ${release().split("-")[0]}, ${cpus().length} processors, ${mib(totalmem() / 1024)} GiB; server and clients on it.`,
    `- Load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ${load[0] > cpus().length ? "others were at work, so trust ratios, not digits" : "quiet"}.`,
    `- Medians of ${rounds} rounds (downloads: ${coldRounds}), everybody in turn; ratios are taken round by round.`,
    "",
    "`npm run bench:tools` prints this page, `npm run bench:tools -- --write` replaces it. It needs 5 GiB of disk.",
    "",
    "## Budgets",
    "",
    ...table(["what", "budget", "found", ""], budgets(results)),
    "",
    "## Nothing to do",
    "",
    `\`provision install\` of ${archives.length} tools that are as wanted.`,
    "",
    ...table(
      ["", "median ms", "best ms", "CPU ms", "best"],
      ["node -e 0", "provision install"].map((name) => [
        `\`${name}\``,
        ...both(warm, `${name}: wall`),
        ...both(warm, `${name}: cpu`),
      ]),
    ),
    "",
    callsLine(results),
    "",
    "## Everything to do",
    "",
    "Into an empty prefix with an empty cache. The peers write where they unpack and check nothing beside what the row",
    "says; provision checks every digest, every entry of an archive and every program, keeps the archives in its cache,",
    "and has what it installed on the disk, not only in memory, before a link leads to it. The results are compared.",
    "",
    ...table(
      ["", "median ms", "best ms", "CPU ms", "provision over it"],
      coldNames().map((name) => [
        `\`${name}\``,
        ...both(cold, `${name}: wall`),
        median(cold, `${name}: cpu`).toFixed(0),
        times(ratio(cold, "provision install: wall", `${name}: wall`)),
      ]),
    ),
    "",
    "## One file",
    "",
    `${mib(large)} MiB from loopback to a file; \`provision fetch\` is the whole process, and has it on the disk.`,
    "",
    ...table(
      ["", "median ms", "best ms", "provision over it"],
      ["curl -o", "curl -o, sha256sum -c", "provision fetch"].map((name) => [
        `\`${name}\``,
        ...both(download, name),
        times(ratio(download, "provision fetch", name)),
      ]),
    ),
    "",
    "## Memory",
    "",
    "The most that `provision install` held while it installed one tree.",
    "",
    ...table(
      ["archive", "peak MiB"],
      [...peakMiB].map(([tool, peak]) => [
        tool === trees.large ? `${mib(large)} MiB` : "a tenth of it",
        peak.toFixed(0),
      ]),
    ),
    "",
  ].join("\n");
}

function budgets({ warm, cold, calls, peakMiB }: Results): readonly (readonly string[])[] {
  const row = (what: string, budget: number, found: number): readonly string[] => [
    what,
    `≤ ${budget}`,
    times(found),
    found <= budget ? "kept" : "missed",
  ];
  const [small = Number.NaN, large = Number.NaN] = [peakMiB.get(trees.small), peakMiB.get(trees.large)];
  return [
    row("nothing to do, over `node -e 0`, in ms", 25, delta(warm, "wall")),
    row("the same in ms of processor time", 25, delta(warm, "cpu")),
    ...(calls
      ? [row("sockets, programs and processes of it", 0, calls.sockets + calls.programs + calls.processes)]
      : []),
    row("everything to do, over the quickest `curl | tar`", 1.2, quickest(cold, "curl | tar")),
    row("the same, over the quickest that checks digests", 1.2, quickest(cold, "curl, sha256sum -c, tar")),
    row("memory for ten times the archive", 1.2, large / small),
  ];
}

/** Taken round by round: both then ran under the same load. */
function delta(warm: Samples, part: "wall" | "cpu"): number {
  const floors = warm.get(`node -e 0: ${part}`) ?? [];
  const deltas = (warm.get(`provision install: ${part}`) ?? []).map(
    (ms, round) => ms - (floors[round] ?? Number.NaN),
  );
  return median(new Map([["", deltas]]), "");
}

function quickest(cold: Samples, peer: keyof typeof peers): number {
  return Math.max(
    ...widths.map((width) => ratio(cold, "provision install: wall", `${peer}, ${width} at once: wall`)),
  );
}

function coldNames(): readonly string[] {
  const shells = Object.keys(peers).flatMap((name) => widths.map((width) => `${name}, ${width} at once`));
  return [...shells, "provision install"];
}

function callsLine({ calls, warm }: Results): string {
  const best = `At best it takes ${(least(warm, "provision install: wall") - least(warm, "node -e 0: wall")).toFixed(0)} ms more than Node alone.`;
  if (!calls) return `${best} Its system calls were not counted: strace is missing.`;
  const { sockets, programs, processes } = calls;
  return `${best} By strace it opened ${sockets} sockets and started ${programs} programs and ${processes} processes.`;
}

function mib(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}
