import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
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

/** Where an image is to be brought. */
export interface ImagePlace {
  readonly driver: Pick<LibvirtDriver, "uri" | "volumes">;
  readonly pool: string;
  /** For locks and what is made on the way. */
  readonly workDir: string;
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
  const there = await whole(name, place);
  if (there?.bytes === image.bytes) return there;
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

async function whole(name: string, { driver, pool }: ImagePlace): Promise<Volume | undefined> {
  const mark = await driver.volumes.find(pool, `${name}${wholeSuffix}`);
  return mark === undefined ? undefined : driver.volumes.find(pool, name);
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
    const found = await volumes.find(pool, name);
    if (found?.bytes !== image.bytes)
      throw new Error(`${name} must have ${image.bytes} bytes, has ${found?.bytes}`);
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
