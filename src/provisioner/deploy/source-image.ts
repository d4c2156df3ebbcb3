import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { imageFile, listImages, openImage, type PublishedImage } from "../image/image-store.ts";
import { readQcow2Header } from "../image/qcow2-header.ts";
import { digestOf } from "../local/kept-file.ts";
import type { ImageReference } from "../spec/host-spec.ts";

/** An image on this machine that a host can start from. */
export interface SourceImage {
  /** For people: base@20260131-0a1b2c3d, or a path. */
  readonly label: string;
  readonly path: string;
  /** Of its file, lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
  /** Size of the disk that a guest sees. */
  readonly virtualBytes: number;
  /** `debian-13`, where its manifest tells. */
  readonly distribution: string | undefined;
}

/** Where images are, and where digests of those without a manifest are remembered. */
export interface ImagePlaces {
  readonly store: string;
  readonly cacheDir: string;
}

/** Finds what a host's `image` names. Throws IMAGE_MISSING or IMAGE_UNFIT. */
export async function findImage(reference: ImageReference, places: ImagePlaces): Promise<SourceImage> {
  if (reference.kind === "spec") return ofStore(await published(reference, places.store));
  const { path } = reference;
  const beside = await publishedAt(path);
  return beside === undefined ? ofFile(path, places.cacheDir) : ofStore(beside);
}

/** What was published at a path. Beside a file of another name a manifest.json speaks of something else. */
async function publishedAt(path: string): Promise<PublishedImage | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.isFile() && basename(path) !== imageFile)) return undefined;
  return openImage(path).catch((error: unknown) => {
    if (error instanceof ProvisionError && error.code === "IMAGE_MISSING") return undefined;
    throw error;
  });
}

async function published(
  { name, version }: Extract<ImageReference, { kind: "spec" }>,
  store: string,
): Promise<PublishedImage> {
  const images = (await listImages(store)).filter((image) => image.name === name);
  const found =
    version === undefined
      ? (images.find(({ latest }) => latest) ?? images.at(-1))
      : images.find((image) => image.version === version);
  if (found) return found;
  throw new ProvisionError("IMAGE_UNBUILT", {
    image: version === undefined ? name : `${name}@${version}`,
    spec: name,
    versions: images.map((image) => image.version),
  });
}

function ofStore({ name, version, path, manifest }: PublishedImage): SourceImage {
  const { sha256, bytes, virtualBytes } = manifest.image;
  const distribution = manifest.base.name.split("-").slice(0, 2).join("-");
  return { label: `${name}@${version}`, path, sha256, bytes, virtualBytes, distribution };
}

/** An image that nobody published here: what it is, its file must tell. */
async function ofFile(path: string, cacheDir: string): Promise<SourceImage> {
  const header = await readQcow2Header(path).catch((error: NodeJS.ErrnoException) => {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(error.code ?? ""))
      throw new ProvisionError("IMAGE_MISSING", { path });
    throw error;
  });
  if (header === undefined) throw new ProvisionError("IMAGE_UNFIT", { path, is: "something else" });
  if (header.hasBackingFile)
    throw new ProvisionError("IMAGE_UNFIT", { path, is: "one that needs another file" });
  const { size: bytes } = await stat(path);
  const sha256 = await rememberedDigest(path, cacheDir);
  return { label: path, path, sha256, bytes, virtualBytes: header.virtualBytes, distribution: undefined };
}

/** The digest of a file, computed once as long as size, time and inode stay what they are. */
async function rememberedDigest(path: string, cacheDir: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = `${path} ${size} ${mtimeMs} ${ino}`;
  const name = createHash("sha256").update(key).digest("hex");
  const memory = join(cacheDir, "image-digests", name);
  const known = await readFile(memory, "utf8").catch(() => "");
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const sha256 = (await digestOf(path, "sha256")).replace("sha256:", "");
  await mkdir(dirname(memory), { recursive: true });
  const partial = `${memory}.${randomUUID()}`;
  await writeFile(partial, sha256);
  await rename(partial, memory);
  return sha256;
}

/** What a file name may hold of a label. */
export function labelAsName({ label }: Pick<SourceImage, "label">): string {
  return basename(label)
    .replace(/\.qcow2$/, "")
    .replaceAll(/[^\w.-]+/g, "-");
}
