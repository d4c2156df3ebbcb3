import { isAlive as isProcessAlive, type ProcessIdentity } from "../local/process-identity.ts";
import type { Volume } from "../libvirt/volumes.ts";
import { type DeployedHost, type HostDriver, isDeployed } from "./deployed-host.ts";
import { passingFiles, removeDomain } from "./remove-host.ts";

/** A host whose deploy died before it was done. */
export interface UnfinishedHost {
  readonly host: DeployedHost;
  /** Files that go with it, as paths on the hypervisor. */
  readonly files: readonly string[];
  /** Disks that somebody may have written to. */
  readonly kept: readonly string[];
}

/** A qcow2 disk that was never written to is no longer than its own tables. */
const untouchedBytes = 1024 ** 2;

/** Hosts that never came to be ready and whose maker is dead. */
export async function findUnfinished(
  driver: Pick<HostDriver, "hosts" | "pools" | "volumes">,
  isAlive: (owner: ProcessIdentity) => Promise<boolean> = isProcessAlive,
): Promise<readonly UnfinishedHost[]> {
  const found: UnfinishedHost[] = [];
  for (const host of (await driver.hosts.all()).filter(isDeployed)) {
    const { owner, host: known } = host.mark;
    // A mark without an owner was made on behalf of another process: nobody can say that it is dead.
    if (known.ready || owner === undefined || (await isAlive(owner))) continue;
    await driver.pools.open(known.pool);
    await driver.volumes.refresh(known.pool);
    found.push(sorted(host, await driver.volumes.list(known.pool)));
  }
  return found;
}

/** Removes it, system disk and all: whatever was on that is not done. */
export function removeUnfinished(
  driver: Pick<HostDriver, "hosts" | "pools" | "volumes">,
  { host, files }: UnfinishedHost,
): Promise<void> {
  return removeDomain(driver, host, files);
}

/** An extra disk may be older than this deploy: it goes only when nothing was ever written to it. */
function sorted(host: DeployedHost, volumes: readonly Volume[]): UnfinishedHost {
  const [system] = host.facts.disks;
  const passing = passingFiles(host);
  const own = volumes.filter(({ path }) => host.mark.files.includes(path) || passing.includes(path));
  const goes = ({ path, allocation }: Volume) =>
    path === system?.path || passing.includes(path) || allocation < untouchedBytes;
  return {
    host,
    files: own.filter(goes).map(({ path }) => path),
    kept: own.filter((volume) => !goes(volume)).map(({ path }) => path),
  };
}
