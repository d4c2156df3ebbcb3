import type { Run } from "../core/run.ts";
import type { DeployedHost, HostDriver } from "./deployed-host.ts";

/** What it took to have a host off. */
export type Stopped = "stopped" | "plug pulled" | "already off";

/** Has a host off: asks it by ACPI and waits; with `force`, or when it does not obey, its plug is pulled. */
export async function stopHost(
  driver: Pick<HostDriver, "hosts">,
  host: DeployedHost,
  { force, run }: { readonly force: boolean; readonly run: Run },
): Promise<Stopped> {
  const guest = driver.hosts.guest(host);
  const state = await guest.state();
  if (state === "shut-off" || state === "crashed") return "already off";
  if (force) {
    await driver.hosts.powerOff(host.uuid);
    return "plug pulled";
  }
  run.progress("Waiting for it to power itself off");
  return (await guest.shutDown(run)) ? "stopped" : "plug pulled";
}
