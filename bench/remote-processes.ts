import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import type { Target } from "./target.ts";

/** What one login made the target do. */
export interface RemoteWork {
  /** Programs started, by name, in order; the server's own left out. */
  readonly programs: readonly string[];
  /** Processes, those that stayed a shell among them; the server's own two or three too. */
  readonly processes: number;
}

/** Watches the target's sshd and all below it while `work` runs; undefined where there is no strace. */
export async function watch(
  target: Target,
  scratch: string,
  work: () => Promise<unknown>,
): Promise<RemoteWork | undefined> {
  if (!existsSync("/usr/bin/strace")) return undefined;
  const file = join(scratch, "strace");
  const calls = "trace=execve,clone,clone3,fork,vfork";
  const strace = spawn("strace", ["-f", "-p", String(target.pid), "-e", calls, "-o", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => strace.once("close", () => resolve()));
  const attached = new Promise<void>((resolve) => {
    strace.stderr.on("data", (bytes: Buffer) => {
      if (bytes.toString().includes("attached")) resolve();
    });
  });
  await Promise.race([attached, ended]);
  try {
    await work();
  } finally {
    strace.kill("SIGINT");
    await ended;
  }
  const lines = (await readFile(file, "utf8")).split("\n");
  const forks = lines.filter((line) => /\b(clone3?|v?fork)\b.*= [0-9]+$/.test(line)).length;
  return { programs: started(lines).filter((name) => !name.startsWith("sshd")), processes: forks };
}

/** Programs whose start came off: one is looked for in every folder of PATH. */
function started(lines: readonly string[]): readonly string[] {
  // A call that another process's cut in two ends on a line of its own, under the same process id.
  const tried = new Map<string, string>();
  return lines.flatMap((line) => {
    const [pid = ""] = line.split(" ");
    const path = /\bexecve\("([^"]+)"/.exec(line)?.[1];
    if (path !== undefined) tried.set(pid, basename(path));
    return /\bexecve\b.* = 0$/.test(line) ? [tried.get(pid) ?? "?"] : [];
  });
}
