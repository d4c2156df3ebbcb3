import type { DeployedHost, HostDriver } from "./deployed-host.ts";
import { passingFiles, removeDomain } from "./remove-host.ts";

/** A host to be taken away, by what its mark and its definition say. */
export interface Leaving {
  readonly driver: HostDriver;
  readonly domain: DeployedHost;
  /** Volumes that stay, as paths on the hypervisor. */
  readonly keeps: readonly string[];
}

/** Removes a host's domain, its volumes and the addresses that were kept for it. Idempotent. */
export async function takeAway({ driver, domain, keeps }: Leaving): Promise<void> {
  const all = new Set([...domain.mark.files, ...passingFiles(domain)]);
  await removeDomain(
    driver,
    domain,
    [...all].filter((path) => !keeps.includes(path)),
  );
  for (const card of domain.facts.cards)
    if ("network" in card) await driver.networks.forgetAddress(card.network, card.mac);
}
