import { basename, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { waitForCloudInit } from "../image/wait-for-cloud-init.ts";
import { isAcceleratorFailure } from "../libvirt/accelerator.ts";
import type { Guest, Machine, Mark } from "../libvirt/driver.ts";
import { bootPatience } from "../libvirt/guest-boot.ts";
import { makeKeyPair, type KeyPair } from "../libvirt/host-keys.ts";
import { makeSeed, type Seed } from "../libvirt/seed.ts";
import type { Volume } from "../libvirt/volumes.ts";
import { thisProcess } from "../local/process-identity.ts";
import { openScratch } from "../local/scratch.ts";
import { checkPlace, keepAddresses, startNetworks } from "./check-place.ts";
import { findDeployed } from "./deployed-host.ts";
import type { Deployment } from "./deployment.ts";
import { checkLogin } from "./host-line.ts";
import { hostSeed, withoutSecrets } from "./host-seed.ts";
import { bringImage, putVolume } from "./pool-image.ts";
import type { SourceImage } from "./source-image.ts";
import type { Survey } from "./survey-host.ts";
import { takeAway } from "./take-away.ts";

const GIB = 1024 ** 3;

/** A host that was made: logged in to, and set up by cloud-init. */
export interface MadeHost {
  readonly guest: Guest;
  readonly host: Host;
}

/**
 * Makes a host from its image: domain, disks, seed, first boot, identity. Whatever ends it before the host is itself
 * takes away all that was made, unless it is to be looked into.
 */
export async function createHost(survey: Survey, deployment: Deployment, run: Run): Promise<MadeHost> {
  const { spec, driver } = deployment;
  const image = await run.within("Check the place", () => checkNewHost(survey, deployment));
  const base = await bringImage(image, { driver, pool: spec.pool, workDir: deployment.workDir }, run);
  await takeOldAway(survey, deployment, run);
  const hostKey = await makeKeyPair();
  const { mark, ...machine } = survey.machine;
  const marked: Mark = {
    ...mark,
    owner: await thisProcess(),
    ...(mark.host && { host: { ...mark.host, hostKey: hostKey.publicKey, ready: false } }),
  };
  return makeIt({ ...machine, mark: marked }, { survey, deployment, image, base, hostKey, run });
}

/** What stands in the new host's place: its earlier self, or one that was never finished. Extra disks stay. */
async function takeOldAway(
  { found, leftover }: Survey,
  { driver, spec }: Deployment,
  run: Run,
): Promise<void> {
  const old = found ?? leftover;
  if (old === undefined) return;
  const why = found === undefined ? "which was never finished" : "as it was";
  await run.within(`Remove ${spec.name}, ${why}`, async (inner) => {
    if (found !== undefined) await driver.hosts.guest(old).shutDown(inner);
    // Whoever is killed from here on leaves one that is not whole, and the next deploy must not take it for a host.
    const { mark, uuid } = old;
    const host = { ...mark.host, ready: false };
    await driver.hosts.setMark(uuid, { ...mark, owner: await thisProcess(), host });
    const keeps = mark.files.filter((path) => basename(path).startsWith(`${spec.name}.disk-`));
    await takeAway({ driver, domain: old, keeps });
  });
}

interface Making {
  readonly survey: Survey;
  readonly deployment: Deployment;
  readonly image: SourceImage;
  readonly base: Volume;
  readonly hostKey: KeyPair;
  readonly run: Run;
}

async function makeIt(machine: Machine, making: Making): Promise<MadeHost> {
  const { deployment, run } = making;
  const { spec, driver, keepOnError } = deployment;
  const made: string[] = [];
  try {
    // First of all: whose the volumes are is written down before they are made.
    await driver.hosts.define(machine, await driver.accelerator(run));
    const seed = await run.within("Make its disks", (inner) =>
      makeDisks({ ...making, run: inner }, machine, made),
    );
    await startNetworks(spec, driver);
    await keepAddresses(spec, driver);
    const booted = await firstBoot(machine, making);
    try {
      await settle(machine, making, seed);
      return booted;
    } catch (error) {
      await booted.host[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    if (keepOnError && !run.signal.aborted && !isPlaceless(error)) {
      run.note(`${spec.name} stays as it is, as asked; the next deploy makes it anew`, "warning");
    } else await discard(machine, deployment, made).catch((trouble: unknown) => noteLeft(spec, run, trouble));
    throw error;
  }
}

/** Nothing to look into: the host was never there. */
function isPlaceless(error: unknown): boolean {
  return error instanceof ProvisionError && ["POOL_FULL", "LIBVIRT_FAILED"].includes(error.code);
}

/** All that can be known to be wrong before anything is touched. Gives the image that the host will start from. */
export async function checkNewHost(
  { found, leftover, files }: Survey,
  deployment: Deployment,
): Promise<SourceImage> {
  const { spec, driver, line, authorizedKeys } = deployment;
  const image = await deployment.image();
  const neededGiB = Math.ceil(image.virtualBytes / GIB);
  const { sizeGiB = neededGiB } = spec.disk;
  if (sizeGiB < neededGiB)
    throw new ProvisionError("HOST_DISK_TOO_SMALL", {
      host: spec.name,
      sizeGiB,
      neededGiB,
      image: image.label,
    });
  await checkLogin(line, spec, authorizedKeys.get(line.user) ?? []);
  const old = found ?? leftover;
  const isNear = line.targetAt(spec.name, "").jumps.length === 0;
  await checkPlace(spec, {
    driver,
    silent: isNear && old === undefined ? spec.networks : [],
    ownMacs: old?.facts.macs ?? [],
  });
  if (
    old === undefined &&
    !deployment.replace &&
    (await driver.volumes.find(spec.pool, files.disk)) !== undefined
  )
    throw new ProvisionError("DISK_IN_THE_WAY", {
      host: spec.name,
      disk: files.disk,
      pool: spec.pool,
      uri: driver.uri,
    });
  return image;
}

/** Gives the seed. Names of volumes are added to `made` as they are made. */
async function makeDisks(making: Making, machine: Machine, made: string[]): Promise<Seed> {
  const { survey, deployment, image, base, hostKey, run } = making;
  const { spec, driver, authorizedKeys } = deployment;
  const { files } = survey;
  const { volumes } = driver;
  const capacity = Math.max(base.capacity, image.virtualBytes, (spec.disk.sizeGiB ?? 0) * GIB);
  await volumes.remove(spec.pool, files.disk);
  const disk = { name: files.disk, format: "qcow2", capacity } as const;
  made.push(files.disk, files.seed, files.console);
  run.progress(files.disk);
  if (spec.disk.mode === "copy") await volumes.copy(spec.pool, base.name, disk);
  else await volumes.create(spec.pool, { ...disk, backing: { path: base.path, format: "qcow2" } });
  await makeExtraDisks(deployment, survey, made);
  const seed = hostSeed(spec, { hostKey, authorizedKeys });
  await writeSeed(seed, deployment, files.seed, run);
  run.progress(machine.name);
  return seed;
}

/** Those that are there stay as they are: they outlive the system's disk. */
export async function makeExtraDisks(
  { spec, driver }: Pick<Deployment, "spec" | "driver">,
  { files }: Pick<Survey, "files">,
  made: string[] = [],
): Promise<void> {
  for (const { name: diskName, sizeGiB } of spec.extraDisks) {
    const name = files.extraDisks.get(diskName) ?? "";
    if ((await driver.volumes.find(spec.pool, name)) !== undefined) continue;
    made.push(name);
    await driver.volumes.create(spec.pool, { name, format: "qcow2", capacity: sizeGiB * GIB });
  }
}

async function writeSeed(
  seed: Seed,
  { spec, driver, workDir }: Pick<Deployment, "spec" | "driver" | "workDir">,
  name: string,
  run: Run,
): Promise<void> {
  await using scratch = await openScratch(workDir, "seed");
  const file = join(scratch.path, name);
  await makeSeed(seed, file);
  await putVolume({ volumes: driver.volumes, pool: spec.pool, name, file }, run);
}

/** Boots it, once more without KVM where that stops it, and waits until cloud-init is through. */
async function firstBoot(machine: Machine, { deployment, hostKey, run }: Making): Promise<MadeHost> {
  const { driver, spec } = deployment;
  const boot = async (): Promise<MadeHost> => {
    const found = await driver.hosts.find(spec.name);
    if (found === undefined) throw new Error(`${spec.name} was defined and is not there`);
    const guest = driver.hosts.guest(found);
    await run.within("Boot", (inner) => guest.start(inner));
    const host = await run.within("Wait for SSH", (inner) =>
      deployment.reach({
        deployment,
        guest,
        hostKey: hostKey.publicKey,
        patience: bootPatience[guest.accelerator],
        run: inner,
      }),
    );
    try {
      await run.within("Wait for cloud-init", (inner) => waitForCloudInit(host, inner));
      return { guest, host };
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  };
  await driver.hosts.setAutostart(machine.uuid, spec.autostart);
  try {
    return await boot();
  } catch (error) {
    if (!isAcceleratorFailure(error) || !(await driver.fallsBack(error, run))) throw error;
    await driver.hosts.powerOff(machine.uuid);
    await driver.hosts.define(machine, await driver.accelerator(run));
    return boot();
  }
}

/** From here on the host is itself: it stays, its key is known, and its seed holds no secret any more. */
async function settle(
  { uuid, mark }: Machine,
  { survey, deployment, hostKey, run }: Making,
  seed: Seed,
): Promise<void> {
  const { spec, driver, remember } = deployment;
  await writeSeed(withoutSecrets(seed), deployment, survey.files.seed, run);
  await remember(spec.name, hostKey.publicKey);
  // Last: whoever is killed before has left one that is not finished, and it is made anew.
  const { owner: _owner, ...rest } = mark;
  await driver.hosts.setMark(uuid, { ...rest, ...(mark.host && { host: { ...mark.host, ready: true } }) });
}

/** What went wrong first is what the user must hear of. */
function noteLeft({ name }: Deployment["spec"], run: Run, trouble: unknown): void {
  const why = trouble instanceof Error ? trouble.message : String(trouble);
  run.note(`Cannot remove all that was made of ${name}: ${why}; the next deploy does`, "warning");
}

async function discard(
  machine: Machine,
  { driver, spec }: Deployment,
  made: readonly string[],
): Promise<void> {
  const found = await findDeployed(driver, machine.name).catch(() => undefined);
  if (found?.uuid === machine.uuid) {
    const keeps = machine.mark.files.filter((path) => !made.some((name) => path.endsWith(`/${name}`)));
    await takeAway({ driver, domain: found, keeps });
  } else for (const name of made) await driver.volumes.remove(spec.pool, name);
}
