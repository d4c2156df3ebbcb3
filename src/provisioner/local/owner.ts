import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import process from "node:process";

/** A process, so named that a later one with the same number is not taken for it. */
export interface Owner {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat (proc(5)): clock ticks between boot and the start of the process. */
  readonly started: string;
  /** /proc/sys/kernel/random/boot_id */
  readonly boot: string;
  readonly machine: string;
}

export async function myself(): Promise<Owner> {
  return {
    pid: process.pid,
    started: (await startOf(process.pid)) ?? "",
    boot: await bootId(),
    machine: hostname(),
  };
}

/** Whether that very process still runs on this machine. */
export async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.boot !== (await bootId())) return false;
  return (await startOf(owner.pid)) === owner.started;
}

async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name in field 2 may hold blanks and brackets: count from behind the last bracket.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
