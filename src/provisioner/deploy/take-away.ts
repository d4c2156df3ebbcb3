import { forgetAddress } from "./check-place.ts";
import type { DeployedHost, HostDriver } from "./deployed-host.ts";
import { passingFiles, removeDomain } from "./remove-host.ts";

/** A host to be taken away, by what its mark and its definition say. */
export interface Leaving {
  readonly driver: HostDriver;
  readonly domain: DeployedHost;
  /** Volumes that stay, as paths on the hypervisor. */
  readonly keeps: readonly string[];
}

/**
 * Removes the addresses that were kept for a host, its volumes, and last its domain: what is cut short can be found by
 * it and done again. Idempotent.
 */
export async function takeAway({ driver, domain, keeps }: Leaving): Promise<void> {
  for (const card of domain.facts.cards) if ("network" in card) await forgetAddress(card, driver);
  const all = new Set([...domain.mark.files, ...passingFiles(domain)]);
  await removeDomain(
    driver,
    domain,
    [...all].filter((path) => !keeps.includes(path)),
  );
}
