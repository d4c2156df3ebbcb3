import { lazyManifest, loadSpec } from "../src/provisioner/cli/compose.ts";
import { openPins } from "../src/provisioner/cli/open-pins.ts";
import { noSecrets } from "../src/provisioner/cli/open-secrets.ts";
import { openTarget } from "../src/provisioner/cli/open-target.ts";
import { findTemplates } from "../src/provisioner/cli/project.ts";
import { converge } from "../src/provisioner/core/converge.ts";
import { startRun } from "../src/provisioner/core/run.ts";
import { specSources } from "../src/provisioner/spec/spec-sources.ts";
import { quietShell } from "./quiet-shell.ts";
import type { Target } from "./target.ts";

/** A no-op by the engine alone, in this process and warm: nothing is started, imported or parsed. */
export async function engineOf(target: Target, spec: string): Promise<() => Promise<Record<string, number>>> {
  const shell = quietShell({});
  const loaded = await loadSpec(spec, shell, { forHost: true });
  const sources = specSources(loaded, findTemplates(shell), {
    ...openPins(shell, lazyManifest(shell), {}),
    ...noSecrets,
  });
  const flags = {
    target: `root@127.0.0.1:${target.port}`,
    identity: target.identity,
    knownHosts: target.knownHosts,
  };
  return async () => {
    const run = startRun({ report() {}, signal: shell.signal, now: () => performance.now() });
    const started = performance.now();
    const host = await openTarget(flags, shell, run);
    const connected = performance.now();
    const summary = await converge(loaded.recipe, { host, run, check: false, sources });
    const settled = performance.now();
    await host[Symbol.asyncDispose]();
    const ended = performance.now();
    if (summary.changed > 0 || summary.flights !== 1)
      throw new Error(`Not a no-op: ${JSON.stringify(summary)}`);
    return {
      "connect, worker, lock": connected - started,
      "one flight, plan": settled - connected,
      goodbye: ended - settled,
      total: ended - started,
    };
  };
}
