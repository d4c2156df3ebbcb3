import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Run } from "../core/run.ts";
import type { BootedGuest } from "../image/boot-guest.ts";
import { makeOverlay } from "../image/qemu-img.ts";
import { needSpace } from "../local/free-space.ts";
import { openScratch, ownerFile } from "../local/scratch.ts";
import type { LibvirtScratch } from "./libvirt-scratch.ts";
import { filesIn, type ScratchRecord, writeRecord } from "./scratch-record.ts";
import { settle } from "./settle.ts";

const GIB = 1024 ** 3;
/** Room for what tasks install; thin, so it costs nothing until it is used. */
const DISK_GIB = 8;
const machine = { cpus: 2, memoryMiB: 2048 };
const user = "visitor";

/** What a scratch machine is made by and from. */
type Making = Pick<LibvirtScratch, "driver" | "shop" | "base">;

/**
 * Boots a new scratch machine and puts its memory and its disk aside as they are then: what every reset goes back to. It is
 * off when this returns. Stopped or failed on the way, nothing of it is left. Where KVM stops it, it is made once more,
 * without.
 */
export async function makeScratch(path: string, plan: Making, run: Run): Promise<ScratchRecord> {
  try {
    return await makeOnce(path, plan, run);
  } catch (error) {
    if (!(await plan.driver.fallsBack(error, run))) throw error;
    return makeOnce(path, plan, run);
  }
}

async function makeOnce(path: string, plan: Making, run: Run): Promise<ScratchRecord> {
  const { base, driver, shop } = plan;
  return run.within("Make a scratch machine", async (inner) => {
    await needSpace(dirname(path), 2 * GIB, "the scratch machine");
    await using scratch = await openScratch(dirname(path), basename(path, ".json"));
    const { disk, pristine, memory } = filesIn(scratch.path);
    const sizeGiB = Math.max(DISK_GIB, Math.ceil(base.virtualBytes / GIB));
    await makeOverlay(base.path, disk, { sizeGiB, run: inner });
    await driver.startNetwork(shop.network);
    await using booted = await shop.bootGuest({
      driver,
      role: "scratch",
      network: shop.network,
      folder: scratch.path,
      disk,
      machine,
      user,
      hostName: "scratch",
      kept: { record: path, files: [disk, pristine, memory, scratch.path] },
      run: inner,
    });
    inner.progress("saving its memory");
    await settle(booted.host);
    await booted.host[Symbol.asyncDispose]();
    await booted.guest.saveMemory(memory);
    // Off now: this is the disk that the memory knows, and each reset lays a new one over it.
    await rename(disk, pristine);

    const record = recordOf(booted, { plan, folder: scratch.path });
    await rm(join(scratch.path, ownerFile));
    await writeRecord(path, record);
    booted.guest.keep();
    scratch.keep();
    return record;
  });
}

function recordOf(
  booted: BootedGuest,
  { plan, folder }: { readonly plan: Making; readonly folder: string },
): ScratchRecord {
  const { guest, console, address, mac, hostKey, keyFile } = booted;
  const { base, driver, shop } = plan;
  return {
    base: base.name,
    baseKey: base.key,
    basePath: base.path,
    distribution: base.distribution,
    uri: driver.uri,
    network: shop.network,
    accelerator: guest.accelerator,
    name: guest.name,
    uuid: guest.uuid,
    mac,
    console,
    folder,
    address,
    user,
    hostKey,
    keyFile,
  };
}
