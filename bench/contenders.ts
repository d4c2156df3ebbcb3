import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

import type { Target } from "./target.ts";

/** A machine that somebody can log in to. */
type Reachable = Pick<Target, "port" | "identity" | "knownHosts">;

/** What one run took, and what it printed. */
export interface Timed {
  readonly ms: number;
  /** Processor time of the process and its children on this side. */
  readonly cpuMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a program may take; it is ended, with all that it started in its process group, when it takes longer. */
export interface TimeOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

/** A program was ended because it took longer than it may. */
export class OverLimit extends Error {
  constructor(limitMs: number) {
    super(`not done after ${Math.round(limitMs / 1000)} s`);
  }
}

// Timed by the shell beside the program: the start of a process from here would count as well. On descriptor 4.
const timed = 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&3 3>&- 4>&-; } 3>&2 2>&4';

/** Runs a program to its end. Anything but exit code 0 throws. */
export async function time(argv: readonly [string, ...string[]], options: TimeOptions = {}): Promise<Timed> {
  const { limitMs, signal } = options;
  signal?.throwIfAborted();
  const child = spawn("bash", ["-c", timed, "time", ...argv], {
    env: options.env ?? process.env,
    stdio: ["pipe", "pipe", "pipe", "ignore", "pipe"],
    // A group of its own, so that all of it can be ended.
    detached: true,
  });
  const end = () => endGroup(child.pid);
  let isOver = false;
  const timer =
    limitMs === undefined ? undefined : setTimeout(() => ((isOver = true), end()), Math.max(1, limitMs));
  signal?.addEventListener("abort", end);
  try {
    return await outcome(child, { argv, input: options.input ?? "" });
  } catch (error) {
    signal?.throwIfAborted();
    if (isOver) throw new OverLimit(limitMs ?? 0);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself at the same moment.
  }
}

function outcome(
  child: ChildProcess,
  { argv, input }: { readonly argv: readonly string[]; readonly input: string },
): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const said = new Map([1, 2, 4].map((at) => [at, ""]));
    for (const at of said.keys())
      child.stdio[at]?.on("data", (bytes: Buffer) => said.set(at, `${said.get(at)}${bytes.toString()}`));
    child.once("error", reject);
    child.once("close", (code) => {
      const [stdout = "", stderr = "", times = ""] = [...said.values()];
      if (code !== 0) {
        reject(new Error(`${argv.join(" ").slice(0, 200)} ended with ${code}:\n${stdout}${stderr}`));
        return;
      }
      const [wall = 0, user = 0, system = 0] = times.trim().split(" ").map(Number);
      resolve({ ms: wall * 1000, cpuMs: (user + system) * 1000, stdout, stderr });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** A script by `ssh host sh -s`, with nothing of the user's own settings. */
export async function bySsh(target: Reachable, script: string): Promise<Timed> {
  const options = [
    "BatchMode=yes",
    "ControlPath=none",
    "GlobalKnownHostsFile=none",
    `HostKeyAlias=[127.0.0.1]:${target.port}`,
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    `UserKnownHostsFile=${target.knownHosts}`,
  ].flatMap((option) => ["-o", option]);
  const where = ["-p", String(target.port), "-i", target.identity, "root@127.0.0.1"];
  return time(["ssh", "-F", "none", ...options, ...where, "sh -s"], { input: script });
}

/** `provision apply` as people run it, its state in a folder of its own. */
export async function byCli(
  target: Reachable,
  spec: string,
  options: {
    readonly root: string;
    readonly state: string;
    readonly json?: boolean;
    /** Further flags. */
    readonly more?: readonly string[];
  },
): Promise<Timed> {
  const main = join(options.root, "dist/provisioner/main.js");
  const where = ["--target", `root@127.0.0.1:${target.port}`, "--identity", target.identity];
  return time(
    [
      process.execPath,
      main,
      ...(options.json ? ["--json"] : []),
      "apply",
      "--spec",
      spec,
      ...where,
      "--known-hosts",
      target.knownHosts,
      ...(options.more ?? []),
    ],
    { env: { ...process.env, XDG_STATE_HOME: options.state, SSH_AUTH_SOCK: "" } },
  );
}
