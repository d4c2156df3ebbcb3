import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { packageRoot } from "../../src/provisioner/cli/project.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { bench } from "./bench.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "41" },
    "cold-rounds": { type: "string", default: "5" },
    write: { type: "boolean", default: false },
  },
});

const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const root = packageRoot();
const isRoot = process.getuid?.() === 0;
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot });
const kept = join(cacheDir, "bench");
await mkdir(kept, { recursive: true });
const scratch = await mkdtemp(join(kept, "run-"));
try {
  const text = report(
    await bench({
      root,
      kept,
      scratch,
      rounds: Number(values.rounds),
      coldRounds: Number(values["cold-rounds"]),
      say,
    }),
  );
  process.stdout.write(text);
  if (values.write) await writeFile(join(root, "docs/benchmarks-of-tools.md"), text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
