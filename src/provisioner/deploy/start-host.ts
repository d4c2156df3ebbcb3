import type { Run } from "../core/run.ts";
import type { DeployedHost, HostDriver } from "./deployed-host.ts";

/** What it took to have a host run. */
export type Started = "started" | "resumed" | "already running";

/** Has a host run: its networks are started before it. */
export async function startHost(
  driver: Pick<HostDriver, "hosts" | "networks">,
  host: DeployedHost,
  run: Run,
): Promise<Started> {
  const guest = driver.hosts.guest(host);
  switch (await guest.state()) {
    case "running":
      return "already running";
    case "paused":
      await driver.hosts.resume(host.uuid);
      return "resumed";
    default:
  }
  for (const card of host.facts.cards) if ("network" in card) await driver.networks.start(card.network);
  await guest.start(run);
  return "started";
}
