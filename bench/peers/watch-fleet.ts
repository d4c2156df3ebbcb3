import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Fleet, Member } from "./fleet.ts";

/** What machines did while somebody worked on them. */
export interface FleetWork {
  /** Processor time of all of them together, their systemd's own among it. */
  readonly targetCpuMs: number;
  readonly connections: number;
  /** Programs, shells and subsystems that were asked for in them. */
  readonly sessions: number;
}

/** Begins to watch; the answer is what happened until then. */
export async function watchFleet({ members }: Fleet): Promise<() => Promise<FleetWork>> {
  const cursors = await Promise.all(members.map(cursorOf));
  const before = await cpuOf(members);
  return async () => {
    const targetCpuMs = (await cpuOf(members)) - before;
    const logs = await Promise.all(members.map((member, at) => logAfter(member, cursors[at] ?? "")));
    const lines = logs.flatMap((log) => log.split("\n"));
    return {
      targetCpuMs,
      connections: lines.filter((line) => line.startsWith("Accepted publickey for ")).length,
      sessions: lines.filter((line) => line.startsWith("Starting session: ")).length,
    };
  };
}

async function cursorOf({ machine }: Member): Promise<string> {
  const printed = await machine.sh("journalctl --sync; journalctl -n 1 --show-cursor -o cat | tail -n 1");
  return printed.replace(/^-- cursor: /, "");
}

function logAfter({ machine }: Member, cursor: string): Promise<string> {
  return machine.sh(
    `journalctl --sync; journalctl -q -o cat -t sshd -t sshd-session -t sshd-auth --after-cursor='${cursor}'`,
  );
}

/** Every machine is a control group. */
async function cpuOf(members: readonly Member[]): Promise<number> {
  const texts = await Promise.all(
    members.map(({ machine }) => readFile(join(machine.root, "sys/fs/cgroup/cpu.stat"), "utf8")),
  );
  const used = texts.map((text) => Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? Number.NaN));
  return used.reduce((sum, each) => sum + each, 0) / 1000;
}
