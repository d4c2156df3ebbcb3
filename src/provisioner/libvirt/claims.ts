import { mkdir, readdir, readFile, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { identityFrom } from "./mark.ts";
import { thisProcess, type ProcessIdentity } from "../local/process-identity.ts";

/** Files that a living process is about to make, written down before it makes them. */
export interface Claim {
  readonly id: string;
  readonly owner: ProcessIdentity;
  readonly files: readonly string[];
}

/**
 * Claims files for this process: until a domain's mark names them, nothing else would. Disposing removes the files
 * and the claim; `gc` does it for a process that was killed.
 */
export async function claimFiles(
  folder: string,
  id: string,
  files: readonly string[],
): Promise<AsyncDisposable & { release(): Promise<void> }> {
  const path = join(folder, `${id}.json`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const claim: Claim = { id, owner: await thisProcess(), files };
  await writeFile(`${path}.new`, JSON.stringify(claim), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return {
    /** The files stay; somebody else answers for them. */
    release: () => rm(path, { force: true }),
    async [Symbol.asyncDispose]() {
      await removeFiles(files);
      await rm(path, { force: true });
    },
  };
}

/** All claims in a folder, of the living and the dead. */
export async function readClaims(folder: string): Promise<readonly Claim[]> {
  const names = await readdir(folder).catch(() => []);
  const claims: Claim[] = [];
  for (const name of names.filter((each) => each.endsWith(".json"))) {
    const claim = claimFrom(await readFile(join(folder, name), "utf8").catch(() => ""));
    if (claim !== undefined) claims.push(claim);
  }
  return claims;
}

/** Removes what a claim names, then the claim. */
export async function dropClaim(folder: string, claim: Claim): Promise<void> {
  await removeFiles(claim.files);
  await rm(join(folder, `${claim.id}.json`), { force: true });
}

/** Removes files, and folders that are empty by then. What is gone already is no fault. */
export async function removeFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    try {
      await unlink(file);
    } catch (error) {
      if (hasCode(error, "EISDIR")) await removeIfEmpty(file);
      else if (!hasCode(error, "ENOENT")) throw error;
    }
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENOTEMPTY")) throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function claimFrom(text: string): Claim | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { id, owner, files } = value as Record<string, unknown>;
    const identity = identityFrom(owner);
    if (typeof id !== "string" || !/^[\w.-]+$/.test(id) || identity === undefined) return undefined;
    if (!Array.isArray(files) || !files.every((file) => typeof file === "string")) return undefined;
    return { id, owner: identity, files };
  } catch {
    return undefined;
  }
}
