import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";

/** What is known of a file in the cache; kept beside it as `<path>.json`. */
interface Record<Facts> {
  /** "sha256:…" or "sha512:…" of its bytes. */
  readonly digest: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
  readonly facts: Facts;
}

/** A file of the cache that is as it was when it was kept. */
export interface Kept<Facts> {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  readonly facts: Facts;
}

/** "sha256" or "sha512". */
export type DigestKind = "sha256" | "sha512";

/**
 * Finds a kept file. Costs a stat: size, time and inode are as recorded. Where they are not (a copied cache)
 * its bytes decide; one that differs is no hit and gets made again.
 */
export async function findKept<Facts>(path: string): Promise<Kept<Facts> | undefined> {
  const record = await readRecord<Facts>(path);
  const found = await stat(path).catch(absent);
  if (!record || !found) return undefined;
  const { digest, facts } = record;
  const kept = { path, digest, bytes: found.size, facts };
  if (record.size === found.size && record.mtimeMs === found.mtimeMs && record.inode === found.ino)
    return kept;
  if (record.size === found.size && (await digestOf(path, kindOf(digest))) === digest) {
    await writeRecord(path, digest, facts);
    return kept;
  }
  return undefined;
}

/** Puts a finished file into the cache under its name: whole or not at all, read-only from then on. */
export async function keep<Facts>(
  partial: string,
  path: string,
  known: { readonly digest: string; readonly facts: Facts },
): Promise<Kept<Facts>> {
  await chmod(partial, 0o444);
  await sync(partial);
  // An older record would be held against the new file for a moment.
  await rm(`${path}.json`, { force: true });
  await rename(partial, path);
  // Last: a file without its record is no hit, so a crash between the two only costs making it again.
  const bytes = await writeRecord(path, known.digest, known.facts);
  return { path, bytes, ...known };
}

/** Digest of a file's bytes, as "kind:hex". */
export async function digestOf(path: string, kind: DigestKind): Promise<string> {
  const hash = createHash(kind);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return `${kind}:${hash.digest("hex")}`;
}

async function readRecord<Facts>(path: string): Promise<Record<Facts> | undefined> {
  try {
    return JSON.parse(await readFile(`${path}.json`, "utf8")) as Record<Facts>;
  } catch (error) {
    // Half a record, or somebody's edit: as good as none, the file is made again.
    if (error instanceof SyntaxError) return undefined;
    return absent(error);
  }
}

/** Gives the file's size. */
async function writeRecord(path: string, digest: string, facts: unknown): Promise<number> {
  const { size, mtimeMs, ino } = await stat(path);
  const record: Record<unknown> = { digest, size, mtimeMs, inode: ino, facts };
  await writeFile(`${path}.json.partial`, `${JSON.stringify(record, undefined, 2)}\n`);
  // Not synced: a record that a power cut swallows only costs making the file again.
  await rename(`${path}.json.partial`, `${path}.json`);
  return size;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function kindOf(digest: string): DigestKind {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

function absent(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}
