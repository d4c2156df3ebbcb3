import { readFileSync } from "node:fs";

import { chooseDeployable } from "../../src/provisioner/cli/hosts/choose-deployable.ts";
import { forEachHost } from "../../src/provisioner/cli/hosts/for-each-host.ts";
import { openDeployment } from "../../src/provisioner/cli/open-deployment.ts";
import { Redactor } from "../../src/provisioner/core/redactor.ts";
import { startRun } from "../../src/provisioner/core/run.ts";
import { deployHost } from "../../src/provisioner/deploy/deploy-host.ts";
import { quietShell } from "../quiet-shell.ts";
import { standInDriver } from "./stand-in-driver.ts";

/** Where a host of the project is. */
export interface Place {
  readonly port: number;
  readonly identity: string;
  readonly hostKey: string;
}

// A deploy of hosts as `provision deploy` does it, with libvirt's side answered at once and ssh at ports of their own.
// Prints what came of it, and the most memory it held.
const [places = "", width = "", ...names] = process.argv.slice(2);
const where = JSON.parse(readFileSync(places, "utf8")) as Readonly<Record<string, Place>>;
const shell = quietShell(process.env);
let flights = 0;
const run = startRun({
  report: (event) => (flights += event.kind === "flight" ? 1 : 0),
  signal: shell.signal,
  now: () => performance.now(),
});
const hosts = await chooseDeployable(names, {}, shell);
const outcomes = await forEachHost(
  hosts,
  async ({ loaded }, inner) => {
    const { port, identity, hostKey } = where[loaded.spec.name] ?? { port: 0, identity: "", hostKey: "" };
    await using deployment = await openDeployment(loaded, {
      shell,
      flags: { identity },
      redactor: new Redactor(),
      run: inner,
      open: async () => standInDriver(loaded.spec, hostKey),
    });
    const { line } = deployment;
    const targetAt: typeof line.targetAt = (address, key) => ({ ...line.targetAt(address, key), port });
    return await deployHost({ ...deployment, line: { ...line, targetAt } });
  },
  { run, width: Number(width) },
);
let changed = 0;
for (const outcome of outcomes) {
  if ("failure" in outcome) throw new Error(JSON.stringify(outcome.failure.event));
  changed += outcome.done.tasks.changed + (outcome.done.machine === "as wanted" ? 0 : 1);
}
const maxRssKiB = process.resourceUsage().maxRSS;
process.stdout.write(`${JSON.stringify({ hosts: outcomes.length, flights, changed, maxRssKiB })}\n`);
