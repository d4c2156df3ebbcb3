import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { packageRoot } from "../../src/provisioner/cli/project.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { systemdRoot } from "../../test/support/systemd-root.ts";
import { benchBuild } from "./bench.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    /** A root with systemd that is there already. */
    root: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

if (process.getuid?.() !== 0) throw new Error("The benchmark must run as root: its machines are namespaces");
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);
const root = packageRoot();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
await mkdir(join(cacheDir, "bench"), { recursive: true });
const scratch = await mkdtemp(join(cacheDir, "bench/run-"));
try {
  const lower = values.root ?? (await systemdRoot(cacheDir));
  const text = report(await benchBuild({ root, lower, scratch, rounds: Number(values.rounds), say }));
  process.stdout.write(text);
  if (values.write) await writeFile(join(root, "docs/benchmarks-of-builds.md"), text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
