import { randomUUID } from "node:crypto";

import { ProvisionError } from "../core/errors.ts";
import type { DiskOrigin, Machine, Mark } from "../libvirt/driver.ts";
import { isAlive, thisProcess } from "../local/process-identity.ts";
import type { Deployment } from "./deployment.ts";
import { type DeployedHost, findDeployed } from "./deployed-host.ts";
import { filesIn, hostFiles, type HostFiles } from "./host-files.ts";
import { hostMachine } from "./host-machine.ts";
import { type DomainChange, planDomain } from "./plan-domain.ts";

const GIB = 1024 ** 3;

/** What there is of a host on its hypervisor, and what has to become of it. */
export interface Survey {
  /** Its own domain; `undefined` when it has to be made. */
  readonly found: DeployedHost | undefined;
  /** A domain that its maker never finished: it goes first. */
  readonly leftover: DeployedHost | undefined;
  readonly machine: Machine;
  readonly files: HostFiles;
  readonly changes: readonly DomainChange[];
  /** What a new system disk would lose, for people. */
  readonly loses: readonly string[];
  /** The newest image of the spec, where the host stands on an older one that it may keep. */
  readonly newer: string | undefined;
}

/** Looks at the hypervisor and plans; changes nothing. Throws DOMAIN_FOREIGN for a domain that is not a host of ours. */
export async function surveyHost(deployment: Deployment): Promise<Survey> {
  const { spec, driver, run } = deployment;
  const folder = await driver.pools.open(spec.pool);
  const there = await findDeployed(driver, spec.name);
  const unfinished = there !== undefined && (await isLeftover(there));
  const found = unfinished ? undefined : there;
  const { origin, newer } = await originOf(deployment, found);
  const files = hostFiles(spec);
  const { pid } = await thisProcess();
  const machine = machineOf(deployment, { found, folder, files, origin, pid });
  if (found === undefined)
    return {
      found,
      leftover: unfinished ? there : undefined,
      machine,
      files,
      changes: [],
      loses: [],
      newer: undefined,
    };
  const disk = await driver.volumes.find(found.mark.host.pool, files.disk);
  const diskGiB = (disk?.capacity ?? 0) / GIB;
  const plan = planDomain(
    { machine, autostart: spec.autostart, origin, diskGiB: spec.disk.sizeGiB },
    { ...found, diskGiB },
  );
  if (plan.kind !== "change") throw new Error(`${spec.name} is there and ours, and its plan is ${plan.kind}`);
  if (newer !== undefined)
    run.note(
      `${spec.name} is made from ${origin.image}, the newest here is ${newer}: --replace makes it anew`,
    );
  return { found, leftover: undefined, machine, files, changes: plan.changes, loses: plan.loses, newer };
}

/** Its maker died, or left it as asked. One that still lives must not be disturbed. */
async function isLeftover({ name, mark }: DeployedHost): Promise<boolean> {
  if (mark.host.ready) return false;
  const { owner } = mark;
  const isOurs = JSON.stringify(owner) === JSON.stringify(await thisProcess());
  if (owner === undefined || isOurs || !(await isAlive(owner))) return true;
  throw new ProvisionError("HOST_BEING_MADE", { host: name, holder: `process ${owner.pid}` });
}

/**
 * What the host's disk is to stand on. One that follows the newest image of a spec keeps the one it has until it may be
 * replaced: a build is no reason to throw a host away.
 */
async function originOf(
  { spec, image, replace }: Deployment,
  found: DeployedHost | undefined,
): Promise<{ readonly origin: DiskOrigin; readonly newer: string | undefined }> {
  const { mode } = spec.disk;
  const has = found?.mark.origin;
  const follows =
    spec.image.kind === "spec" && spec.image.version === undefined ? spec.image.name : undefined;
  const keeps = has !== undefined && follows !== undefined && has.image.startsWith(`${follows}@`);
  if (keeps && !replace) {
    // Whoever deploys may have no images at hand: the host is there already.
    const newest = await image().catch(() => undefined);
    const newer = newest === undefined || newest.sha256 === has.sha256 ? undefined : newest.label;
    return { origin: { ...has, mode }, newer };
  }
  // A version never changes: what stands on it is as wanted, whoever may have the image at hand.
  const named = spec.image.kind === "spec" && `${spec.image.name}@${spec.image.version}`;
  if (has !== undefined && has.image === named) return { origin: { ...has, mode }, newer: undefined };
  const { label, sha256 } = await image();
  return { origin: { image: label, sha256, mode }, newer: undefined };
}

function machineOf(
  { spec }: Deployment,
  parts: {
    readonly found: DeployedHost | undefined;
    readonly folder: string;
    readonly files: HostFiles;
    readonly origin: DiskOrigin;
    readonly pid: number;
  },
): Machine {
  const { found, folder, files, origin, pid } = parts;
  const paths = filesIn(folder, files);
  const mark: Mark = {
    role: "host",
    run: found?.mark.run ?? randomUUID(),
    pid,
    files: [paths.disk, paths.seed, paths.console, ...paths.extraDisks.values()],
    origin,
    host: {
      pool: spec.pool,
      hostKey: found?.mark.host.hostKey ?? "",
      fqdn: spec.fqdn,
      users: spec.users.map(({ name }) => name),
      ready: found?.mark.host.ready ?? false,
    },
  };
  return hostMachine(spec, { ...paths, uuid: found?.uuid ?? randomUUID(), mark });
}
