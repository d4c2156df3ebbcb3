import { cpus, release, totalmem } from "node:os";

import { median, ratio } from "../measure.ts";
import type { Turns } from "../peers/take-turns.ts";
import { table } from "../table.ts";
import type { BootResults, BootSample } from "./boot.ts";
import type { NoOpRow, NoOpSample } from "./no-op.ts";

/** What was measured of deploys; a part that was not asked for is missing. */
export interface DeployResults {
  readonly boot: BootResults | undefined;
  readonly noOp: readonly NoOpRow[] | undefined;
  /** libvirt's and QEMU's versions, for people. */
  readonly versions: string;
  readonly memoryMiB: number;
  readonly load: readonly [number, number];
  readonly troubles: readonly string[];
}

/** The whole page: what was measured, on what, and how to do it again. */
export function report(results: DeployResults): string {
  const { boot, noOp, versions, load, troubles } = results;
  const budgets = [...(boot === undefined ? [] : bootBudget(boot.turns)), ...memoryBudget(noOp ?? [])];
  return [
    "# Benchmarks of deploys",
    "",
    "What `provision deploy` costs: a new host beside the bare boot of its disk, and hosts that are as wanted beside ssh.",
    "",
    `- ${new Date().toISOString().slice(0, 10)}; Node ${process.versions.node}, ${versions}, Linux ${release().split("-")[0]}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB; both sides on it.`,
    `- Load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after: ${load[0] > cpus().length ? "others were at work, so trust ratios, not digits" : "quiet before"}.`,
    "- Medians, everybody in turn; ratios are taken round by round.",
    ...troubles.map((trouble) => `- Not all of it: ${trouble}.`),
    "",
    "`npm run bench:deploy` prints this page, `npm run bench:deploy -- --write` replaces it. It needs root, libvirt,",
    "mmdebstrap and, the first time, a network to make a base and a root from.",
    "",
    ...(budgets.length === 0
      ? []
      : ["## Budgets", "", ...table(["what", "budget", "found", ""], budgets), ""]),
    ...(boot === undefined ? [] : bootSection(boot, results)),
    ...(noOp === undefined ? [] : noOpSection(noOp)),
  ].join("\n");
}

function bootSection(
  { turns: boot, accelerator }: BootResults,
  { memoryMiB }: DeployResults,
): readonly string[] {
  return [
    "## A new host",
    "",
    "A base that the pool has already is deployed as a host with a fixed address; `virsh start` boots the same",
    `definition (${memoryMiB} MiB, ${accelerator === "kvm" ? "KVM" : "emulated by QEMU"}) with a fresh disk over the same image, the same seed and fresh EFI variables. Both times ssh is`,
    "tried over and over, from outside and with the same key, until the user's `true` has run. Whole: until the deploy",
    "has waited for cloud-init, settled identity and read it again.",
    "",
    ...table(
      ["who", "runs", "ssh answers, median s", "best s", "whole, median s", "best s", "over virsh start", ""],
      [...boot].map(([who, { samples, ended }]) => {
        const whole = samples.flatMap(({ wholeMs }) => wholeMs ?? []);
        return [
          who,
          String(samples.length),
          ...seconds(samples.map(({ sshMs }) => sshMs)),
          ...seconds(whole),
          who === "deploy" ? bootRatio(boot).toFixed(2) : "",
          ended?.split("\n")[0] ?? "",
        ];
      }),
    ),
    "",
  ];
}

function noOpSection(rows: readonly NoOpRow[]): readonly string[] {
  return [
    "## Hosts that are as wanted",
    "",
    "A process that reads the hosts' files and deploys them: lock, survey, connection, sudo, one flight, plan. Each host is",
    "a machine with a systemd and an OpenSSH of its own in namespaces; what libvirt would say of it is answered at once",
    "in the process. Beside it `ssh host true` as the same user, as many at one time. CPU and memory are of this side.",
    "",
    ...table(
      ["who", "hosts", "at one time", "runs", "median ms", "best ms", "CPU s", "peak MiB", "over ssh", ""],
      rows.map((row) => {
        const { who, hosts, atOnce, turns } = row;
        const walls = turns.samples.map(({ ms }) => ms);
        const floor = rows.find((each) => each.who !== who && each.hosts === hosts && each.atOnce === atOnce);
        return [
          who,
          String(hosts),
          String(atOnce),
          String(walls.length),
          words(middle(walls), 0),
          words(Math.min(...walls), 0),
          words(middle(turns.samples.map(({ cpuMs }) => cpuMs)) / 1000, 2),
          who === "deploy" ? words(peak(turns.samples), 0) : "",
          who === "deploy" && floor ? words(overFloor(row, floor), 2) : "",
          turns.ended?.split("\n")[0] ?? "",
        ];
      }),
    ),
    "",
  ];
}

function bootBudget(boot: ReadonlyMap<string, Turns<BootSample>>): readonly (readonly string[])[] {
  const found = bootRatio(boot);
  if (Number.isNaN(found)) return [];
  const verdict = found <= 1.1 ? "kept" : "missed";
  return [["new host until ssh answers, over `virsh start`", "≤ 1.1", found.toFixed(2), verdict]];
}

/** From the fewest hosts to the most, for each way of working on several. */
function memoryBudget(rows: readonly NoOpRow[]): readonly (readonly string[])[] {
  const deploys = rows.filter(({ who, turns }) => who === "deploy" && turns.samples.length > 0);
  const [least] = deploys.toSorted((one, other) => one.hosts - other.hosts);
  return deploys.flatMap((row) => {
    if (least === undefined || row.hosts === least.hosts) return [];
    const rise = (peak(row.turns.samples) - peak(least.turns.samples)) / (row.hosts - least.hosts);
    const what = `memory for each host more, ${row.hosts} hosts, ${row.atOnce} at one time, in MiB`;
    return [[what, "≤ 3", rise.toFixed(2), rise <= 3 ? "kept" : "missed"]];
  });
}

function bootRatio(boot: ReadonlyMap<string, Turns<BootSample>>): number {
  const all = [...boot].map(([who, { samples }]) => [who, samples.map(({ sshMs }) => sshMs)] as const);
  return ratio(new Map(all), "deploy", "virsh start");
}

function overFloor(row: NoOpRow, floor: NoOpRow): number {
  const walls = ({ turns }: NoOpRow) => turns.samples.map(({ ms }) => ms);
  return ratio(
    new Map([
      ["ours", walls(row)],
      ["floor", walls(floor)],
    ]),
    "ours",
    "floor",
  );
}

function peak(samples: readonly NoOpSample[]): number {
  return middle(samples.flatMap(({ maxRssMiB }) => maxRssMiB ?? []));
}

function seconds(all: readonly number[]): readonly [string, string] {
  return [words(middle(all) / 1000, 1), words(Math.min(...all) / 1000, 1)];
}

function middle(all: readonly number[]): number {
  return median(new Map([["", all]]), "");
}

function words(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "";
}
