import { chmod, copyFile, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

/** A cache that no other run uses, with everybody's bases in it, and what is known of this machine. */
export interface OwnCache extends AsyncDisposable {
  /** For more files of the test; the hypervisor's user can reach it. */
  readonly folder: string;
  /** For PROVISION_CACHE. */
  readonly cache: string;
}

/** Opens one below the usual cache. */
export async function openOwnCache(usual: string): Promise<OwnCache> {
  await mkdir(join(usual, "work"), { recursive: true, mode: 0o711 });
  const folder = await mkdtemp(join(usual, "work", "e2e-"));
  const cache = join(folder, "cache");
  await mkdir(cache, { mode: 0o711 });
  await mkdir(join(usual, "bases"), { recursive: true });
  await symlink(join(usual, "bases"), join(cache, "bases"));
  // What runs guests on this machine, where it was found out before.
  await copyFile(join(usual, "accelerator.json"), join(cache, "accelerator.json")).catch(() => {});
  await chmod(folder, 0o711);
  return {
    folder,
    cache,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
