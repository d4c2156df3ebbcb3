import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { thisProcess } from "./process-identity.ts";

/** A private directory that is gone when its holder is done; `gc` finds it by its owner when the process died. */
export interface Scratch extends AsyncDisposable {
  readonly path: string;
  /** Leaves it where it is. */
  keep(): void;
}

/** The file in a scratch directory that says whose it is. */
export const ownerFile = "owner.json";

/** Makes a directory under `parent`, traversable by the hypervisor's user, listable by us alone. */
export async function openScratch(parent: string, prefix: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true, mode: 0o711 });
  const path = await mkdtemp(join(parent, `${prefix}-`));
  try {
    await chmod(path, 0o711);
    await writeFile(join(path, ownerFile), JSON.stringify(await thisProcess()), { mode: 0o600 });
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
  let kept = false;
  return {
    path,
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!kept) await rm(path, { recursive: true, force: true });
    },
  };
}
