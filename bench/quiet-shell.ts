import { homedir, hostname, userInfo } from "node:os";

import { packageRoot } from "../src/provisioner/cli/project.ts";
import type { Shell } from "../src/provisioner/cli/shell.ts";

/** A shell that shows nothing and asks nobody, for what is measured without the command line around it. */
export function quietShell(env: Shell["env"]): Shell {
  const silent = { write() {}, isTTY: false };
  return {
    stdout: silent,
    stderr: silent,
    terminal: () => undefined,
    env,
    cwd: packageRoot(),
    home: homedir(),
    user: userInfo().username,
    isRoot: true,
    machine: hostname(),
    pid: process.pid,
    signal: new AbortController().signal,
    onHurry() {},
    onBug() {},
    ask: () => Promise.resolve(undefined),
  };
}
