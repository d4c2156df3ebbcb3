import { ProvisionError } from "../core/errors.ts";
import type { NetworkCard } from "../libvirt/driver.ts";
import type { Volume } from "../libvirt/volumes.ts";
import { isAlive, thisProcess } from "../local/process-identity.ts";
import type { HostSpec } from "../spec/host-spec.ts";
import { type DeployedHost, findDeployed, type HostDriver } from "./deployed-host.ts";
import { hostFiles } from "./host-files.ts";
import { isRemembered } from "./known-hosts-file.ts";
import { passingFiles, rotatedLogs } from "./remove-host.ts";

/** What a host's removal is planned from. */
export interface DestroyRequest {
  readonly name: string;
  /** What its file says, where it has one: it knows of disks that a host without a domain has. */
  readonly spec: Pick<HostSpec, "name" | "pool" | "extraDisks" | "networks" | "fqdn"> | undefined;
  /** Removes its disks too. */
  readonly purge: boolean;
  /** provision's own known_hosts. */
  readonly knownHosts: string;
}

/** An address that a network keeps for a card. */
export interface Reservation {
  readonly network: string;
  readonly mac: string;
  readonly address: string;
}

/** What goes with a host, and what stays. */
export interface DestroyPlan {
  readonly name: string;
  readonly domain: DeployedHost | undefined;
  readonly pool: string | undefined;
  /** Disks that go: what is on them is lost. */
  readonly disks: readonly Volume[];
  /** Seed and console log, which hold nobody's data. */
  readonly passing: readonly string[];
  readonly kept: readonly Volume[];
  /** Disks that would go, but that somebody else needs. */
  readonly needed: readonly { readonly volume: Volume; readonly by: string }[];
  readonly reservations: readonly Reservation[];
  /** Names under which its key is known. */
  readonly known: readonly string[];
}

/** Looks at all that there is of a host. A domain of its name that is not ours is refused. */
export async function planDestroy(request: DestroyRequest, driver: HostDriver): Promise<DestroyPlan> {
  const { name, spec, purge, knownHosts } = request;
  const domain = await findDeployed(driver, name);
  if (domain !== undefined) await refuseUnborn(domain);
  const pool = domain?.mark.host.pool ?? spec?.pool;
  const volumes = pool === undefined ? [] : await volumesIn(driver, pool);
  const { data, passing } = filesOf(domain, spec, volumes);
  const needed = purge ? await neededBy(data, volumes, { driver, domain }) : [];
  const isNeeded = (volume: Volume) => needed.some((each) => each.volume === volume);
  const names = [name, domain?.mark.host.fqdn, spec?.fqdn].filter((each) => each !== undefined);
  return {
    name,
    domain,
    pool,
    disks: purge ? data.filter((volume) => !isNeeded(volume)) : [],
    passing,
    kept: purge ? [] : data,
    needed,
    reservations: await reservationsOf(cardsOf(domain, spec), driver),
    known: await remembered([...new Set(names)], knownHosts),
  };
}

/** Whether there is nothing at all that would go. */
export function isNothing({ domain, disks, passing, reservations, known }: DestroyPlan): boolean {
  return domain === undefined && disks.length + passing.length + reservations.length + known.length === 0;
}

/** One that a process of this machine is just making; of another machine's nobody can know whether it lives. */
async function refuseUnborn({ name, mark }: DeployedHost): Promise<void> {
  const { owner, host } = mark;
  if (host.ready || owner === undefined || owner.machine !== (await thisProcess()).machine) return;
  if (await isAlive(owner))
    throw new ProvisionError("HOST_BEING_MADE", { host: name, holder: `process ${owner.pid}` });
}

/** None where there is no such pool: looking makes none. */
async function volumesIn({ pools, volumes }: HostDriver, pool: string): Promise<readonly Volume[]> {
  if (!(await volumes.pools()).some(({ name }) => name === pool)) return [];
  await pools.open(pool);
  await volumes.refresh(pool);
  return volumes.list(pool);
}

/** What is known of a host's files, as far as they are there: by its mark, else by its name. */
function filesOf(
  domain: DeployedHost | undefined,
  spec: DestroyRequest["spec"],
  volumes: readonly Volume[],
): { readonly data: readonly Volume[]; readonly passing: readonly string[] } {
  const there = (isMeant: (volume: Volume) => boolean) => volumes.filter(isMeant);
  if (domain !== undefined) {
    // Whether they are there or not: a pool may not have noticed all of them.
    const passing = passingFiles(domain);
    const isData = ({ path }: Volume) => domain.mark.files.includes(path) && !passing.includes(path);
    return { data: there(isData), passing };
  }
  if (spec === undefined) return { data: [], passing: [] };
  const { disk, extraDisks, seed, console } = hostFiles(spec);
  const passing = [seed, console, ...rotatedLogs(console)];
  return {
    data: there(({ name }) => [disk, ...extraDisks.values()].includes(name)),
    passing: there(({ name }) => passing.includes(name)).map(({ path }) => path),
  };
}

/** A disk of this host's name may long be somebody else's; and who stands on it needs it to the last byte. */
async function neededBy(
  data: readonly Volume[],
  volumes: readonly Volume[],
  { driver, domain }: { readonly driver: HostDriver; readonly domain: DeployedHost | undefined },
): Promise<DestroyPlan["needed"]> {
  if (data.length === 0) return [];
  const domains = (await driver.hosts.all()).filter(({ uuid }) => uuid !== domain?.uuid);
  return data.flatMap((volume) => {
    const user = domains.find(({ facts }) => facts.disks.some(({ path }) => path === volume.path));
    const above = volumes.find(({ backing }) => backing === volume.path);
    if (user !== undefined) return [{ volume, by: `domain "${user.name}"` }];
    return above === undefined ? [] : [{ volume, by: `volume "${above.name}", which stands on it` }];
  });
}

type Joined = Extract<NetworkCard, { readonly network: string }>;

function cardsOf(domain: DeployedHost | undefined, spec: DestroyRequest["spec"]): readonly Joined[] {
  const own = domain?.facts.cards ?? [];
  const wanted = (spec?.networks ?? []).flatMap(({ joins, mac }) =>
    joins.kind === "network" ? [{ network: joins.name, mac }] : [],
  );
  return [...own.filter((card): card is Joined => "network" in card), ...wanted];
}

async function reservationsOf(
  cards: readonly Joined[],
  { networks }: Pick<HostDriver, "networks">,
): Promise<readonly Reservation[]> {
  const macs = new Set(cards.map(({ mac }) => mac.toLowerCase()));
  const all: Reservation[] = [];
  for (const network of new Set(cards.map((card) => card.network))) {
    const hosts = await networks.hosts(network).catch((error: unknown) => {
      if (error instanceof ProvisionError && error.code === "NETWORK_MISSING") return [];
      throw error;
    });
    for (const { mac, address } of hosts)
      if (macs.has(mac.toLowerCase())) all.push({ network, mac, address });
  }
  return all;
}

async function remembered(names: readonly string[], file: string): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => isRemembered(file, name)));
  return names.filter((_, index) => found[index]);
}
