import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Programs in front of the real ones that count how often any is started, and can end the whole group there. */
export interface StepPrograms {
  /** Environment for a shell that finds them; it is killed at that step, or never at 0. */
  env(killAt?: number): Readonly<Record<string, string>>;
  /** Steps since the last `env`. */
  count(): number;
}

/** Makes them for these names; `each` is shell that runs before every step. */
export function stepPrograms(folder: string, names: readonly string[], each = ""): StepPrograms {
  const bin = join(folder, "steps-bin");
  const steps = join(folder, "steps");
  mkdirSync(bin);
  for (const name of names) {
    const path = join(bin, name);
    writeFileSync(path, wrapper(realPath(name), each));
    chmodSync(path, 0o755);
  }
  return {
    env(killAt = 0) {
      rmSync(steps, { force: true });
      return { PATH: `${bin}:${process.env["PATH"] ?? ""}`, STEPS: steps, KILL_AT: String(killAt) };
    },
    count: () => (existsSync(steps) ? readFileSync(steps, "utf8").length : 0),
  };
}

// One byte a step, appended: programs of a pipe start at the same time.
function wrapper(real: string, each: string): string {
  return `#!/bin/sh
printf x >>"$STEPS"
${each}
read -r steps <<END
$(/usr/bin/wc -c <"$STEPS")
END
if [ "$steps" = "$KILL_AT" ]; then
  read -r _ _ _ _ group _ <"/proc/$$/stat"
  kill -9 "-$group"
fi
exec ${real} "$@"
`;
}

function realPath(name: string): string {
  return execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
}
