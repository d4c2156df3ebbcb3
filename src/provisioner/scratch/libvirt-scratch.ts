import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import type { Base } from "../image/base-image.ts";
import { sshLineOf } from "../image/boot-guest.ts";
import { makeOverlay } from "../image/qemu-img.ts";
import type { Workshop } from "../image/workshop.ts";
import type { Driver, Guest, KnownMachine } from "../libvirt/driver.ts";
import { holdLock } from "../local/lock.ts";
import { connectScratch } from "./connect-scratch.ts";
import { makeScratch } from "./make-scratch.ts";
import type { ScratchMachine } from "./scratch-machine.ts";
import { domainOf, dropRecord, filesIn, readRecord, type ScratchRecord } from "./scratch-record.ts";
import { hangUp, setClock } from "./settle.ts";

/** A scratch machine by libvirt. */
export interface LibvirtScratch {
  readonly driver: Driver;
  readonly shop: Pick<Workshop, "network" | "bootGuest">;
  readonly base: Base;
  /** Where kept machines lie; readable for the hypervisor along the whole path. */
  readonly machinesDir: string;
  /** Takes none that is there, but makes a new one. */
  readonly fresh: boolean;
  /** Logs in to one that was restored; the real way when left out. */
  readonly connect?: typeof connectScratch;
}

/**
 * Takes the scratch machine of a base: the one that an earlier run kept, else a new one. One run has it at a time; others
 * wait. It is as it was when it was new.
 */
export async function openLibvirtScratch(plan: LibvirtScratch, run: Run): Promise<ScratchMachine> {
  const path = recordPath(plan);
  const lock = await holdLock(path, `the scratch machine of ${plan.base.name}`, run);
  try {
    const kept = await findKept(path, plan, run);
    const machine = kept && (await takeAgain(path, kept, plan, { lock, run }));
    return machine ?? (await take(await makeScratch(path, plan, run), plan, { lock, run }));
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

interface Taking {
  readonly lock: AsyncDisposable;
  readonly run: Run;
}

/** What was kept may not come back: QEMU was renewed, or its address was given to another guest. Then it is removed. */
async function takeAgain(
  path: string,
  record: ScratchRecord,
  plan: LibvirtScratch,
  taking: Taking,
): Promise<ScratchMachine | undefined> {
  try {
    return await take(record, plan, taking);
  } catch (error) {
    taking.run.signal.throwIfAborted();
    if (!(error instanceof ProvisionError)) throw error;
    await forsake(path, record, plan, { run: taking.run, reason: error.message });
    return undefined;
  }
}

async function take(
  record: ScratchRecord,
  plan: LibvirtScratch,
  { lock, run }: Taking,
): Promise<ScratchMachine> {
  // Off since this machine was booted, perhaps.
  await plan.driver.startNetwork(record.network);
  const guest = await plan.driver.adopt(machineOf(record), run);
  if (!guest) throw new ProvisionError("GUEST_DIED", gone(record));
  const machine = new LibvirtScratchMachine({ record, guest, connect: plan.connect ?? connectScratch, lock });
  try {
    await machine.reset(run);
    return machine;
  } catch (error) {
    await guest.powerOff();
    throw error;
  }
}

/** One of each base on each hypervisor. */
function recordPath({ base, driver, machinesDir }: LibvirtScratch): string {
  const own = driver.uri === "qemu:///system" ? "" : `-${digest(driver.uri)}`;
  return join(machinesDir, `${base.name}${own}.json`);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The kept one, if it can be used; one that cannot is removed. */
async function findKept(path: string, plan: LibvirtScratch, run: Run): Promise<ScratchRecord | undefined> {
  const record = await readRecord(path);
  if (!record) return undefined;
  const unfit = await unfitness(record, plan, run);
  if (unfit === undefined) return record;
  await forsake(path, record, plan, { run, reason: unfit });
  return undefined;
}

async function forsake(
  path: string,
  record: ScratchRecord,
  { driver }: LibvirtScratch,
  { run, reason }: { readonly run: Run; readonly reason: string },
): Promise<void> {
  run.note(`The scratch machine ${record.name} is not used again: ${reason}`);
  await driver.remove(domainOf(record));
  await dropRecord(path, record);
}

/** Why a machine cannot be used again. */
async function unfitness(
  record: ScratchRecord,
  { fresh, base, shop, driver }: LibvirtScratch,
  run: Run,
): Promise<string | undefined> {
  if (fresh) return "a fresh one is wanted";
  if (record.baseKey !== base.key) return `${base.name} was made anew since`;
  if (record.network !== shop.network) return `it is on the network ${record.network}`;
  if (record.accelerator !== (await driver.accelerator(run))) {
    return `its memory was saved under ${record.accelerator.toUpperCase()}`;
  }
  return (await driver.adopt(machineOf(record), run)) ? undefined : "libvirt knows it no longer";
}

function machineOf({ name, uuid, console, mac }: ScratchRecord): KnownMachine {
  return { name, uuid, console, macs: [mac] };
}

function gone({ name }: ScratchRecord): { guest: string; reason: string; console: string } {
  return { guest: name, reason: "was removed by somebody else", console: "" };
}

class LibvirtScratchMachine implements ScratchMachine {
  readonly name: string;
  readonly base: string;
  readonly distribution: string;
  readonly mac: string;
  readonly sshLine: string;
  readonly #record: ScratchRecord;
  readonly #guest: Guest;
  readonly #connect: typeof connectScratch;
  readonly #lock: AsyncDisposable;
  #host: Host | undefined;
  #isUsed = false;
  #kept = false;

  constructor(parts: {
    readonly record: ScratchRecord;
    readonly guest: Guest;
    readonly connect: typeof connectScratch;
    readonly lock: AsyncDisposable;
  }) {
    const { record } = parts;
    this.name = record.name;
    this.base = record.base;
    this.distribution = record.distribution;
    this.mac = record.mac;
    this.sshLine = sshLineOf(record);
    this.#record = record;
    this.#guest = parts.guest;
    this.#connect = parts.connect;
    this.#lock = parts.lock;
  }

  get host(): Host {
    if (!this.#host) throw new Error(`${this.name} is not reset`);
    this.#isUsed = true;
    return this.#host;
  }

  async reset(run: Run): Promise<void> {
    if (this.#host && !this.#isUsed) return;
    await run.within("Make the scratch machine as it was", (inner) => this.#reset(inner));
    this.#isUsed = false;
  }

  async #reset(run: Run): Promise<void> {
    const { disk, pristine, memory } = filesIn(this.#record.folder);
    await hangUp(this.#host);
    this.#host = undefined;
    run.progress("switching it off");
    await this.#guest.powerOff();
    await rm(disk, { force: true });
    await makeOverlay(pristine, disk, { run });
    run.progress("restoring its memory");
    await this.#guest.restoreMemory(memory);
    run.progress("waiting for SSH");
    this.#host = await this.#connect(this.#record, this.#guest, run);
    await setClock(this.#host);
  }

  keep(): void {
    this.#kept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _lock = this.#lock;
    await hangUp(this.#host);
    // Nothing of it is needed: the next run begins with a reset.
    if (!this.#kept) await this.#guest.powerOff();
  }
}
