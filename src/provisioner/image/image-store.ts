import { chmod, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { openScratch, ownerFile, type Scratch } from "../local/scratch.ts";
import type { Manifest } from "./manifest.ts";

/** A published image. */
export interface PublishedImage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the qcow2 file. */
  readonly path: string;
  readonly folder: string;
  /** `latest` points at it. */
  readonly latest: boolean;
  readonly manifest: Manifest;
}

/** The image file's name in its folder. */
export const imageFile = "image.qcow2";

const latestLink = "latest";
/** Unfinished folders; never an image's name, since those start with a letter. */
export const partialPrefix = ".partial";

/** Every image in the store, by name and then by age, the newest last. */
export async function listImages(store: string): Promise<PublishedImage[]> {
  const names = await folders(store);
  return (await Promise.all(names.map((name) => versionsOf(store, name)))).flat();
}

/** The versions of one image, the newest last. */
export async function versionsOf(store: string, name: string): Promise<PublishedImage[]> {
  const latest = await readlink(join(store, name, latestLink)).catch(() => undefined);
  const found = await Promise.all(
    (await folders(join(store, name))).map((version) =>
      readImage(join(store, name, version), latest === version),
    ),
  );
  return found
    .filter((image) => image !== undefined)
    .toSorted((one, other) => one.manifest.built.at.localeCompare(other.manifest.built.at));
}

/** The image at a path: its folder, `latest`, or the qcow2 file itself. */
export async function openImage(path: string): Promise<PublishedImage> {
  const at = resolve(path);
  const found = await stat(at).catch(() => undefined);
  if (!found) throw new ProvisionError("IMAGE_MISSING", { path });
  const folder = found.isDirectory() ? at : dirname(at);
  const image = await readImage(folder, basename(at) === latestLink);
  if (!image) throw new ProvisionError("IMAGE_MISSING", { path });
  return found.isDirectory() ? image : { ...image, path: at };
}

/** A private folder on the store's own file system, to be published by one rename; removed when it was not. */
export async function openPartial(store: string, name: string): Promise<Scratch> {
  // Made here, with the mode a user's folders have: a scratch parent would be closed to others.
  await mkdir(join(store, name), { recursive: true });
  return openScratch(join(store, name), partialPrefix);
}

/** Puts a finished folder in place and points `latest` at it, each by one rename. */
export async function publish(partial: string, store: string, manifest: Manifest): Promise<PublishedImage> {
  const home = join(store, manifest.name);
  const folder = join(home, manifest.version);
  await chmod(join(partial, imageFile), 0o444);
  await chmod(partial, 0o755);
  await rename(partial, folder);
  // Not before: `gc` knows by it whose an unfinished image is.
  await rm(join(folder, ownerFile));
  const { name, version } = manifest;
  return makeLatest({ name, version, path: join(folder, imageFile), folder, latest: false, manifest });
}

/** Points `latest` at an image, by rename. */
export async function makeLatest(image: PublishedImage): Promise<PublishedImage> {
  if (image.latest) return image;
  const home = dirname(image.folder);
  await using scratch = await openScratch(home, partialPrefix);
  const link = join(scratch.path, latestLink);
  await symlink(image.version, link);
  await rename(link, join(home, latestLink));
  return { ...image, latest: true };
}

/** The image with this key, when its file is as long as the manifest says. */
export async function findByKey(
  store: string,
  name: string,
  key: string,
): Promise<PublishedImage | undefined> {
  const image = (await versionsOf(store, name)).findLast(({ manifest }) => manifest.key === key);
  if (!image) return undefined;
  const file = await stat(image.path).catch(() => undefined);
  return file?.size === image.manifest.image.bytes ? image : undefined;
}

/** A version nobody has yet: the day and the key, with a number from the second of that kind on. */
export async function newVersion(
  store: string,
  name: string,
  options: { at: string; key: string },
): Promise<string> {
  const taken = new Set(await folders(join(store, name)));
  const plain = `${options.at.slice(0, 10).replaceAll("-", "")}-${options.key.slice(0, 8)}`;
  for (let count = 1; ; count += 1) {
    const version = count === 1 ? plain : `${plain}.${count}`;
    if (!taken.has(version)) return version;
  }
}

async function readImage(folder: string, latest: boolean): Promise<PublishedImage | undefined> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  return {
    name: manifest.name,
    version: manifest.version,
    path: join(folder, imageFile),
    folder,
    latest,
    manifest,
  };
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .toSorted();
}
