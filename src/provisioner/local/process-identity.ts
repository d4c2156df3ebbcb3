import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

/** A process, told from every other there was or will be. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The machine's id and its boot: a process is dead when its boot is over. */
  readonly machine: string;
  readonly boot: string;
  /** Clock ticks from boot to its start, as /proc/PID/stat has it. */
  readonly started: string;
}

/** Who this process is. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const started = await startOf(process.pid);
  if (started === undefined) throw new Error("Cannot read /proc/self/stat");
  return { pid: process.pid, machine: await machineId(), boot: await bootId(), started };
}

/**
 * Whether a process still runs. One of another machine cannot be known and counts as alive: what it owns is removed
 * from there.
 */
export async function isAlive(owner: ProcessIdentity): Promise<boolean> {
  if (owner.machine !== (await machineId())) return true;
  if (owner.boot !== (await bootId())) return false;
  return (await startOf(owner.pid)) === owner.started;
}

/** The kernel's name for the time since it booted. */
export async function bootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

async function machineId(): Promise<string> {
  // Containers often have an empty one, or none.
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return id.trim() || hostname();
}

/** Field 22 of its stat; `undefined` when there is no such process, or only its remains. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in the second field may hold blanks and brackets; what follows the last bracket is plain.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields ?? [];
  return state === undefined || state === "Z" || state === "X" ? undefined : fields?.[19];
}
