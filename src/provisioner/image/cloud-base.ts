import { rm } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import { type CacheOptions, fetchArtifact, type FetchedArtifact } from "../pins/artifact-cache.ts";
import type { CloudImageEntry } from "../pins/manifest.ts";
import { readQcow2Header } from "./qcow2-header.ts";

/** Gives a vendor's cloud image: the pinned bytes or nothing. */
export async function cloudBase(
  name: string,
  entry: CloudImageEntry,
  options: CacheOptions,
): Promise<FetchedArtifact & { readonly virtualBytes: number }> {
  const { url, sha256, sha512 } = entry;
  const artifact = await fetchArtifact({ name, url, sha256, sha512 }, options);
  const header = await readQcow2Header(artifact.path);
  // A backing file would have the hypervisor read whatever path the vendor wrote down.
  if (!header || header.hasBackingFile) {
    await rm(artifact.path, { force: true });
    throw new ProvisionError("BASE_MALFORMED", { name, url });
  }
  return { ...artifact, virtualBytes: header.virtualBytes };
}
