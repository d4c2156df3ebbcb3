import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { openDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import { domainOf, readRecord, type ScratchRecord } from "../../src/provisioner/scratch/scratch-record.ts";
import { shippedTemplates } from "./bases.ts";
import { openOwnCache, type OwnCache } from "./own-cache.ts";

/** A cache with a scratch machine of its own: the one that somebody keeps for work stays as it is. */
export interface ScratchCache extends OwnCache {
  /** Everybody's cache. */
  readonly usual: string;
  /** The machine of debian-13 that is kept in it. */
  kept(): Promise<ScratchRecord | undefined>;
}

/** Opens one; its disposal removes the machine too. */
export async function openScratchCache(): Promise<ScratchCache> {
  const isRoot = process.getuid?.() === 0;
  const { cacheDir: usual } = baseSettings({ env: process.env, home: homedir(), isRoot });
  const own = await openOwnCache(usual);
  const { folder, cache } = own;
  const kept = () => readRecord(join(cache, "machines/debian-13.json"));
  return {
    folder,
    cache,
    usual,
    kept,
    async [Symbol.asyncDispose]() {
      await using _own = own;
      const record = await kept();
      await using driver = await openDriver("qemu:///system", {
        render: shippedTemplates,
        cacheFolder: cache,
      });
      if (record) await driver.remove(domainOf(record));
    },
  };
}
