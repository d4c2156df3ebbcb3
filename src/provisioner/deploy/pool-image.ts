import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import type { Volume } from "../libvirt/volumes.ts";
import { digestOf } from "../local/kept-file.ts";
import { holdLock } from "../local/lock.ts";
import { openScratch } from "../local/scratch.ts";
import { labelAsName, type SourceImage } from "./source-image.ts";

/** Volumes of a pool that overlays stand on; nobody writes to them. */
export const imagePrefix = "provision-image-";
/** Ends the name of the small volume that says that the image beside it is whole. */
export const wholeSuffix = ".whole";

/** While a pool copies a disk it cannot look at what is in it; some seconds are usual, a minute is not. */
const usuallyMs = 120_000;

/** Where an image is to be brought. */
export interface ImagePlace {
  readonly driver: Pick<LibvirtDriver, "uri" | "volumes">;
  readonly pool: string;
  /** For locks and what is made on the way. */
  readonly workDir: string;
  /** How long the pool may be behind with what it knows; two minutes when left out. */
  readonly behindMs?: number;
}

/**
 * Brings an image to a hypervisor's pool, unless it is there. Its digest is checked before a byte leaves; that all of
 * it arrived is written down last, so one that was cut off is sent again.
 */
export async function bringImage(image: SourceImage, place: ImagePlace, run: Run): Promise<Volume> {
  const { driver, pool, workDir } = place;
  const name = `${imagePrefix}${labelAsName(image)}-${image.sha256.slice(0, 12)}.qcow2`;
  const lock = join(workDir, `${driver.uri} ${pool} ${name}`.replaceAll("/", "_"));
  await using _lock = await holdLock(lock, `the upload of ${image.label}`, run);
  const there = await whole(name, image, place, run);
  if (there !== undefined) return there;
  await checkRoom(image, place);
  const got = (await digestOf(image.path, "sha256")).replace("sha256:", "");
  const { label, sha256: wanted } = image;
  if (got !== wanted)
    throw new ProvisionError("IMAGE_DAMAGED", { image: label, path: image.path, wanted, got });
  return run.within(
    `Upload ${image.label}`,
    (inner) => upload(name, image, place, inner),
    () => `${Math.round(image.bytes / 1024 ** 2)} MiB`,
  );
}

/** The image, when all of it is there. One that is not any more, and that disks stand on, is not touched. */
async function whole(
  name: string,
  image: SourceImage,
  place: ImagePlace,
  run: Run,
): Promise<Volume | undefined> {
  const { driver, pool } = place;
  const { volumes } = driver;
  const mark = await volumes.find(pool, `${name}${wholeSuffix}`);
  if (mark === undefined) return undefined;
  const known = await volumes.find(pool, name);
  if (known === undefined || known.bytes === image.bytes) return known;
  const seen = await ofLength(name, image, place, run);
  if (seen !== undefined) return seen;
  const upon = (await volumes.list(pool)).filter(({ backing }) => backing === known.path);
  if (upon.length === 0) return undefined;
  throw new ProvisionError("POOL_IMAGE_DAMAGED", {
    image: image.label,
    path: known.path,
    uri: driver.uri,
    disks: upon.map(({ path }) => path),
  });
}

/** The volume once it is as long as the image; a pool that others work in is behind with what it knows. */
function ofLength(
  name: string,
  { bytes }: SourceImage,
  { driver, pool, behindMs = usuallyMs }: ImagePlace,
  run: Run,
): Promise<Volume | undefined> {
  const { volumes } = driver;
  return until(
    async () => {
      await volumes.refresh(pool);
      const found = await volumes.find(pool, name);
      return found?.bytes === bytes ? found : undefined;
    },
    { deadlineMs: behindMs, pauseMs: 200, longestMs: 2000, signal: run.signal, now: run.now },
  );
}

async function checkRoom(image: SourceImage, { driver, pool: name }: ImagePlace): Promise<void> {
  const pool = (await driver.volumes.pools()).find((each) => each.name === name);
  if (pool === undefined || pool.available >= image.bytes) return;
  throw new ProvisionError("POOL_FULL", {
    pool: name,
    uri: driver.uri,
    what: image.label,
    neededMiB: Math.ceil(image.bytes / 1024 ** 2),
    freeMiB: Math.floor(pool.available / 1024 ** 2),
  });
}

async function upload(name: string, image: SourceImage, place: ImagePlace, run: Run): Promise<Volume> {
  const { driver, pool, workDir } = place;
  const { volumes } = driver;
  await volumes.remove(pool, `${name}${wholeSuffix}`);
  await volumes.remove(pool, name);
  await volumes.create(pool, { name, format: "raw", capacity: 1 });
  try {
    let said = -1;
    const onProgress = (bytes: number) => {
      const percent = Math.floor((100 * bytes) / image.bytes);
      if (percent !== said) run.progress(image.label, percent / 100);
      said = percent;
    };
    await volumes.upload(pool, name, image.path, { signal: run.signal, onProgress });
    const found = await ofLength(name, image, place, run);
    if (found === undefined)
      throw new Error(`${name} must have ${image.bytes} bytes once they were sent, has others`);
    await using scratch = await openScratch(workDir, "upload");
    const mark = join(scratch.path, "whole");
    await writeFile(mark, `${image.sha256}\n`);
    await putVolume({ volumes, pool, name: `${name}${wholeSuffix}`, file: mark }, run);
    return found;
  } catch (error) {
    await volumes.remove(pool, `${name}${wholeSuffix}`);
    await volumes.remove(pool, name);
    throw error;
  }
}

/** Puts a small local file into a pool, in place of what has that name. */
export async function putVolume(
  to: {
    readonly volumes: LibvirtDriver["volumes"];
    readonly pool: string;
    readonly name: string;
    readonly file: string;
  },
  run: Run,
): Promise<void> {
  const { volumes, pool, name, file } = to;
  if ((await volumes.find(pool, name)) === undefined)
    await volumes.create(pool, { name, format: "raw", capacity: 1 });
  await volumes.upload(pool, name, file, { signal: run.signal });
}
