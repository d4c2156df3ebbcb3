import type { DomainState } from "../libvirt/driver.ts";
import { type DeployedHost, type HostDriver, isDeployed } from "./deployed-host.ts";

/** A deployed host as it is found. */
export interface SeenHost {
  readonly name: string;
  readonly state: DomainState;
  /** Its deploy came to its end. */
  readonly ready: boolean;
  /** What it is said to have; none of them is a sign of life. `undefined`: nobody could be asked in time. */
  readonly addresses: readonly string[] | undefined;
  /** For people: base@20260131-0a1b2c3d. */
  readonly image: string | undefined;
  /** Of the image's file. */
  readonly sha256: string | undefined;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly autostart: boolean;
  readonly users: readonly string[];
}

/** What is on one hypervisor. */
export interface SeenHypervisor {
  readonly hosts: readonly SeenHost[];
  /** Names of domains that are not ours. */
  readonly foreign: readonly string[];
}

/** A guest whose agent is stuck keeps an answer back for seconds: those after it go without theirs. */
const addressesMs = 15_000;

/** Looks at every deployed host of a hypervisor. */
export async function lookAtHosts(
  { hosts }: Pick<HostDriver, "hosts">,
  now: () => number,
): Promise<SeenHypervisor> {
  const end = now() + addressesMs;
  const all = await hosts.all();
  const seen: SeenHost[] = [];
  for (const host of all.filter(isDeployed)) {
    const addresses = now() < end ? await addressesOf(host, hosts) : undefined;
    seen.push(seenHost(host, addresses));
  }
  return { hosts: seen, foreign: all.filter((domain) => !isDeployed(domain)).map(({ name }) => name) };
}

function seenHost(host: DeployedHost, addresses: SeenHost["addresses"]): SeenHost {
  const { name, state, mark, facts, autostart } = host;
  const { cpus, memoryMiB } = facts;
  return {
    name,
    state,
    ready: mark.host.ready,
    addresses,
    image: mark.origin?.image,
    sha256: mark.origin?.sha256,
    cpus,
    memoryMiB,
    autostart,
    users: mark.host.users,
  };
}

/** An address that is not to be had is no reason to know nothing of a host. */
async function addressesOf(
  host: DeployedHost,
  hosts: HostDriver["hosts"],
): Promise<readonly string[] | undefined> {
  if (host.state !== "running") return [];
  try {
    const found = await hosts.guest(host).addresses();
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    return undefined;
  }
}
