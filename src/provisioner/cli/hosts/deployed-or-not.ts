import { ProvisionError } from "../../core/errors.ts";
import { type DeployedHost, findDeployed, type HostDriver } from "../../deploy/deployed-host.ts";
import type { MeantHost } from "./choose-hosts.ts";

/** A host's domain. `undefined`: it is not deployed, and only meant along with others; one that was named must be. */
export async function deployedOrNot(
  { name, uri, loaded, isNamed }: MeantHost,
  driver: Pick<HostDriver, "uri" | "hosts">,
): Promise<DeployedHost | undefined> {
  const found = await findDeployed(driver, name);
  if (found === undefined && isNamed)
    throw new ProvisionError("HOST_NOT_DEPLOYED", { host: name, uri, hasFile: loaded !== undefined });
  return found;
}
