import { open, rm } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { fetchArtifact, type FetchedArtifact } from "../pins/artifact-cache.ts";
import type { CloudImageEntry, Mirrors } from "../pins/manifest.ts";

/** Gives a vendor's cloud image: the pinned bytes or nothing. */
export async function cloudBase(options: {
  readonly name: string;
  readonly entry: CloudImageEntry;
  readonly cacheDir: string;
  readonly mirrors: Mirrors;
  readonly run: Run;
}): Promise<FetchedArtifact> {
  const { name, entry, cacheDir, mirrors, run } = options;
  const { url, sha256, sha512 } = entry;
  const artifact = await fetchArtifact({ name, url, sha256, sha512 }, { cacheDir, mirrors, run });
  if (!artifact.cached && !(await isQcow2(artifact.path))) {
    await rm(artifact.path, { force: true });
    throw new ProvisionError("BASE_MALFORMED", { name, url });
  }
  return artifact;
}

/** The format's first four bytes: "QFI" and 0xfb. */
async function isQcow2(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.readUInt32BE(0) === 0x514649fb;
  } finally {
    await file.close();
  }
}
