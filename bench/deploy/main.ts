import { appendFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { execa } from "execa";
import { parse } from "yaml";

import { packageRoot } from "../../src/provisioner/cli/project.ts";
import { startRun } from "../../src/provisioner/core/run.ts";
import { prepareBase } from "../../src/provisioner/image/base-image.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { templateRenderer } from "../../src/provisioner/spec/render-template.ts";
import { targetRoot } from "../target-root.ts";
import { benchBoot, type BootResults } from "./boot.ts";
import { benchNoOp, type NoOpRow } from "./no-op.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    /** boot, no-op; both when left out. */
    only: { type: "string", multiple: true },
    /** Of the boots, which take minutes without KVM. */
    rounds: { type: "string", default: "3" },
    "no-op-rounds": { type: "string", default: "7" },
    hosts: { type: "string", multiple: true, default: ["1", "20"] },
    memory: { type: "string", default: "768" },
    /** Seconds for one boot; for all no-ops of one row. */
    limit: { type: "string", default: "600" },
    write: { type: "boolean", default: false },
  },
});

if (process.getuid?.() !== 0)
  throw new Error("The benchmark must run as root: its machines are namespaces and guests of qemu:///system");
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const root = packageRoot();
const settings = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const kept = join(settings.cacheDir, "bench");
await mkdir(kept, { recursive: true });
const before = loadavg()[0] ?? 0;
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
const { signal } = stop;
const asked = values.only ?? ["no-op", "boot"];
const [limitMs, memoryMiB] = [Number(values.limit) * 1000, Number(values.memory)];
const samples = join(kept, "last-deploy-samples.jsonl");
const soFar = join(kept, "last-benchmarks-of-deploys.md");
await writeFile(samples, "");
say(`the page so far is in ${soFar}`);
let boot: BootResults | undefined;
let noOp: readonly NoOpRow[] | undefined;
const troubles: string[] = [];

/** A part that fails leaves the others' results. */
async function part(name: string, work: () => Promise<void>): Promise<void> {
  if (!asked.includes(name)) return;
  say(name);
  try {
    await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(reason);
    troubles.push(`${name} ended with an error: ${reason.split("\n")[0]}`);
  }
  await writeFile(soFar, await page());
}

async function page(): Promise<string> {
  const { stdout } = await execa("virsh", ["-c", "qemu:///system", "version"], { reject: false });
  const found = (what: RegExp) => what.exec(stdout)?.[1] ?? "unknown";
  const versions = `libvirt ${found(/library: libvirt ([\d.]+)/)}, QEMU ${found(/hypervisor: QEMU ([\d.]+)/)}`;
  const load = [before, loadavg()[0] ?? 0] as const;
  return report({ boot, noOp, versions, memoryMiB, load, troubles });
}

const scratch = await mkdtemp(join(kept, "run-"));
try {
  await part("no-op", async () => {
    const lower = await targetRoot(settings.cacheDir, say);
    const [counts, rounds] = [
      values.hosts.flatMap((text) => text.split(",").map(Number)),
      Number(values["no-op-rounds"]),
    ];
    noOp = await benchNoOp({ root, lower, scratch, counts, rounds, limitMs, signal, say });
  });
  await part("boot", async () => {
    const manifest = parse(await readFile(join(root, "versions.yaml"), "utf8")) as Manifest;
    const run = startRun({ report() {}, signal, now: () => performance.now() });
    const templates = templateRenderer(join(root, "templates"));
    const { path: image } = await prepareBase("debian-13", { ...settings, manifest, templates, run });
    const record = (entry: object) => appendFileSync(samples, `${JSON.stringify(entry)}\n`);
    boot = await benchBoot({
      root,
      image,
      memoryMiB,
      rounds: Number(values.rounds),
      limitMs,
      signal,
      say,
      record,
    });
  });
} finally {
  await rm(scratch, { recursive: true, force: true });
}
if (signal.aborted) troubles.push("it was stopped");
const text = await page();
process.stdout.write(text);
await writeFile(soFar, text);
if (values.write) await writeFile(join(root, "docs/benchmarks-of-deploys.md"), text);
if (troubles.length > 0) process.exitCode = 1;
