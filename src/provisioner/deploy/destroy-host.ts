import type { Run } from "../core/run.ts";
import type { HostDriver } from "./deployed-host.ts";
import { forgetHost } from "./known-hosts-file.ts";
import { type DestroyPlan, isNothing } from "./plan-destroy.ts";
import { removeDomain, removeFiles } from "./remove-host.ts";

/** What became of a host that was to go. */
export interface Destroyed {
  readonly outcome: "destroyed" | "leftovers removed" | "nothing there";
  /** Disks that are gone, as paths on the hypervisor. */
  readonly removed: readonly string[];
  /** Disks that are still there. */
  readonly kept: readonly string[];
}

/** Removes a host as it was planned. What is cut short goes on where it stopped when it is planned again. */
export async function destroyHost(
  plan: DestroyPlan,
  {
    driver,
    knownHosts,
    run,
  }: { readonly driver: HostDriver; readonly knownHosts: string; readonly run: Run },
): Promise<Destroyed> {
  const { domain, pool, disks, passing, kept, needed, reservations, known } = plan;
  for (const { volume, by } of needed) run.note(`Kept ${volume.path}: it is needed by ${by}`, "warning");
  if (domain !== undefined && kept.length > 0) {
    // What it has not written yet would be missing on the disks that stay.
    run.progress("Waiting for it to power itself off");
    await driver.hosts.guest(domain).shutDown(run);
  }
  run.signal.throwIfAborted();
  for (const { network, mac } of reservations) await driver.networks.forgetAddress(network, mac);
  const files = [...passing, ...disks.map(({ path }) => path)];
  if (domain !== undefined) await removeDomain(driver, domain, files);
  else if (pool !== undefined && files.length > 0) await removeFiles(driver, pool, files);
  for (const name of known) await forgetHost(knownHosts, name, run);
  return {
    outcome: domain !== undefined ? "destroyed" : isNothing(plan) ? "nothing there" : "leftovers removed",
    removed: disks.map(({ path }) => path),
    kept: [...kept, ...needed.map(({ volume }) => volume)].map(({ path }) => path),
  };
}
