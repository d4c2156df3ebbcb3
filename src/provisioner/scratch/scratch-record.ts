import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Mark } from "../libvirt/driver.ts";

const texts = [
  "base",
  "baseKey",
  "basePath",
  "distribution",
  "uri",
  "network",
  "accelerator",
  "name",
  "uuid",
  "mac",
  "console",
  "folder",
  "address",
  "user",
  "hostKey",
  "keyFile",
] as const;

/** What is written down of a scratch machine, so that another process finds it and gets in. Readable for its owner alone. */
export type ScratchRecord = Readonly<Record<(typeof texts)[number], string>>;

/** The files of a scratch machine, in its folder. */
export interface ScratchFiles {
  /** What its guest writes to: thrown away at each reset. */
  readonly disk: string;
  /** The disk as it was when the memory was saved. */
  readonly pristine: string;
  readonly memory: string;
}

/** Raised when a machine is made in another way, so that older ones are not taken for such. */
const schema = 1;

/** Where the files of a machine are. */
export function filesIn(folder: string): ScratchFiles {
  return {
    disk: join(folder, "disk.qcow2"),
    pristine: join(folder, "pristine.qcow2"),
    memory: join(folder, "memory"),
  };
}

/** The record in a file; `undefined` when there is none that can be read. */
export async function readRecord(path: string): Promise<ScratchRecord | undefined> {
  try {
    return recordFrom(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (isAbsent || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes a record: whole, or not at all. */
export async function writeRecord(path: string, record: ScratchRecord): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify({ schema, ...record }, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Removes a record with the folder that it names. */
export async function dropRecord(path: string, { folder }: Pick<ScratchRecord, "folder">): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(path, { force: true });
}

/** Its domain as the driver removes it, whether there still is one or not. */
export function domainOf({ uuid, folder, console, keyFile }: ScratchRecord): { uuid: string; mark: Mark } {
  const files = [...Object.values(filesIn(folder)), console, keyFile];
  return { uuid, mark: { role: "scratch", run: "", pid: 0, files } };
}

function recordFrom(value: unknown): ScratchRecord | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = value as Readonly<Record<string, unknown>>;
  if (found["schema"] !== schema) return undefined;
  const pairs = texts.map((name) => [name, found[name]] as const);
  if (!pairs.every(([, text]) => typeof text === "string")) return undefined;
  return Object.fromEntries(pairs) as ScratchRecord;
}
