import type { Run } from "../core/run.ts";
import { followApt } from "../local/apt-progress.ts";
import { program } from "../local/program.ts";

/** Installs Debian packages of this machine, all in one transaction. */
export async function installPackages(
  packages: readonly string[],
  context: { readonly prefix: readonly string[]; readonly run: Run },
): Promise<void> {
  const { prefix, run } = context;
  const follow = followApt();
  const onLine = (line: string) => {
    run.report({ kind: "output", step: run.step, line });
    const progress = follow(line);
    if (progress) run.progress(progress.text, progress.fraction);
  };
  // Another apt may be at work, unattended-upgrades above all: wait for it instead of failing.
  const apt = [
    ...prefix,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-o",
    "DPkg::Lock::Timeout=600",
  ];
  const keep = ["-o", "Dpkg::Options::=--force-confold"];
  await program(words([...apt, "update"]), { run, onLine });
  await program(words([...apt, ...keep, "install", "--yes", "--no-install-recommends", ...packages]), {
    run,
    onLine,
  });
}

function words([first = "env", ...rest]: readonly string[]): readonly [string, ...string[]] {
  return [first, ...rest];
}
