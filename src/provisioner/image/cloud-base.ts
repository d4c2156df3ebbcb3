import { rm } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { fetchArtifact, type FetchedArtifact } from "../pins/artifact-cache.ts";
import type { CloudImageEntry, Mirrors } from "../pins/manifest.ts";
import { readQcow2Header } from "./qcow2-header.ts";

/** Gives a vendor's cloud image: the pinned bytes or nothing. */
export async function cloudBase(options: {
  readonly name: string;
  readonly entry: CloudImageEntry;
  readonly cacheDir: string;
  readonly mirrors: Mirrors;
  readonly run: Run;
}): Promise<FetchedArtifact & { readonly virtualBytes: number }> {
  const { name, entry, cacheDir, mirrors, run } = options;
  const { url, sha256, sha512 } = entry;
  const artifact = await fetchArtifact({ name, url, sha256, sha512 }, { cacheDir, mirrors, run });
  const header = await readQcow2Header(artifact.path);
  // A backing file would have the hypervisor read whatever path the vendor wrote down.
  if (!header || header.hasBackingFile) {
    await rm(artifact.path, { force: true });
    throw new ProvisionError("BASE_MALFORMED", { name, url });
  }
  return { ...artifact, virtualBytes: header.virtualBytes };
}
