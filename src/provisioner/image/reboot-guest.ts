import { ProvisionError } from "../core/errors.ts";
import { HostLost, type Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { run as program } from "../core/task.ts";
import { until } from "../core/until.ts";

/** Until the machine is on its way down; under emulation and load a shutdown was seen to take a minute. */
const GOING_DOWN_MS = 300_000;

/** Reboots a machine and comes back to it; done only when its boot id differs. */
export async function rebootGuest(host: Host, run: Run): Promise<void> {
  const order = { id: "reboot", action: program("systemctl", "--no-block", "reboot") };
  const isGone = await isLost(host.fly({ orders: [order], facts: [] }));
  if (isGone && (await host.reconnect()).rebooted) return;
  const rebooted = await until(
    async () => {
      const look = host.fly({
        orders: [],
        facts: [{ kind: "file", about: "/proc/sys/kernel/random/boot_id" }],
      });
      if (!(await isLost(look))) return undefined;
      return (await host.reconnect()).rebooted ? true : undefined;
    },
    { deadlineMs: GOING_DOWN_MS, pauseMs: 1000, longestMs: 3000, signal: run.signal, now: run.now },
  );
  if (!rebooted) throw new ProvisionError("HOST_LOST", { host: host.name, reason: "it does not reboot" });
}

/** The machine may go down before it has answered: then the answer is that it is gone. */
async function isLost(flight: Promise<unknown>): Promise<boolean> {
  try {
    await flight;
    return false;
  } catch (error) {
    if (error instanceof HostLost) return true;
    throw error;
  }
}
