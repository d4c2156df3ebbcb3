import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { packageRoot } from "../src/provisioner/cli/project.ts";
import { baseSettings } from "../src/provisioner/image/base-settings.ts";
import { bench } from "./bench.ts";
import { report } from "./report.ts";
import { targetRoot } from "./target-root.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    "first-rounds": { type: "string", default: "5" },
    rtt: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false },
  },
});

if (process.getuid?.() !== 0) throw new Error("The benchmark must run as root: its target is a namespace");
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const root = packageRoot();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
await mkdir(join(cacheDir, "bench"), { recursive: true });
const lower = await targetRoot(cacheDir, say);
const scratch = await mkdtemp(join(cacheDir, "bench/run-"));
try {
  const results = await bench({
    root,
    lower,
    scratch,
    rounds: Number(values.rounds),
    firstRounds: Number(values["first-rounds"]),
    roundTripsMs: values.rtt.map(Number),
    say,
  });
  const text = await report(results);
  process.stdout.write(text);
  if (values.write) await writeFile(join(root, "docs/benchmarks.md"), text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
