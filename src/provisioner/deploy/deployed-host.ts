import { ProvisionError } from "../core/errors.ts";
import type { HostMark, Mark } from "../libvirt/driver.ts";
import type { FoundDomain } from "../libvirt/host-domains.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";

/** What the life of a deployed host needs of its hypervisor. */
export type HostDriver = Pick<LibvirtDriver, "uri" | "hosts" | "networks" | "pools" | "volumes">;

/** A domain that provision deployed as a host. */
export type DeployedHost = FoundDomain & { readonly mark: Mark & { readonly host: HostMark } };

/** Whether a domain is a host that provision deployed; all others are nobody's business here. */
export function isDeployed(domain: FoundDomain): domain is DeployedHost {
  return domain.mark?.role === "host" && domain.mark.host !== undefined;
}

/** The deployed host of a name; a domain of that name that is none is refused. */
export async function findDeployed(
  driver: Pick<HostDriver, "uri" | "hosts">,
  name: string,
): Promise<DeployedHost | undefined> {
  const domain = await driver.hosts.find(name);
  if (domain === undefined) return undefined;
  if (isDeployed(domain)) return domain;
  throw new ProvisionError("DOMAIN_FOREIGN", { domain: name, uri: driver.uri });
}
