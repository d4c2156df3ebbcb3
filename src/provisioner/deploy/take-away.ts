import type { Mark } from "../libvirt/driver.ts";
import type { FoundDomain } from "../libvirt/host-domains.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";

/** A host to be taken away, by what its mark and its definition say. */
export interface Leaving {
  readonly driver: Pick<LibvirtDriver, "hosts" | "volumes" | "networks">;
  readonly domain: Pick<FoundDomain, "uuid" | "facts"> & { readonly mark: Pick<Mark, "files"> | undefined };
  /** Volumes that stay, as paths on the hypervisor. */
  readonly keeps: readonly string[];
}

/** Removes a host's domain, its volumes and the addresses that were kept for it. Idempotent. */
export async function takeAway({ driver, domain, keeps }: Leaving): Promise<void> {
  await driver.hosts.undefine(domain.uuid);
  const { console, cards } = domain.facts;
  const rotated = console === undefined ? [] : [0, 1, 2].map((number) => `${console}.${number}`);
  for (const path of [...(domain.mark?.files ?? []), ...rotated])
    if (!keeps.includes(path)) await driver.volumes.removeByPath(path);
  for (const card of cards)
    if ("network" in card) await driver.networks.forgetAddress(card.network, card.mac);
}
