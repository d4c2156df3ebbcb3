import { join } from "node:path";

import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { openSshHost } from "../host/ssh-host.ts";
import { waitForSsh } from "../host/wait-for-ssh.ts";
import { freshToken } from "../host/worker-options.ts";
import { waitForCloudInit } from "../image/wait-for-cloud-init.ts";
import type { BorrowedGuest } from "../libvirt/borrow.ts";
import { holdLock } from "../local/lock.ts";
import type { ScratchMachine } from "./scratch-machine.ts";
import { hangUp, setClock, settle } from "./settle.ts";
import { targetOf, type VagrantMachine } from "./vagrant-machine.ts";

/** The machine that `vagrant up` made, to try things on. */
export interface VagrantScratch {
  readonly machine: VagrantMachine;
  /** Its domain; never removed here. */
  readonly guest: BorrowedGuest;
  /** Where this machine keeps what is of scratch machines: the lock's name is from there. */
  readonly machinesDir: string;
  /** Logs in; the real way when left out. */
  readonly connect?: (machine: VagrantMachine, guest: BorrowedGuest, run: Run) => Promise<Host>;
}

/** The snapshot that every reset goes back to: the machine as it was when the run began. */
const snapshot = "provision-test";
const LOGIN_MS = 180_000;

/**
 * Takes Vagrant's machine as it is, and leaves it so: a snapshot inside its disk is what each reset and the end go back
 * to. One that a killed run left, or one that kept what was broken, is gone back to first. One run has it at a time.
 */
export async function openVagrantScratch(plan: VagrantScratch, run: Run): Promise<ScratchMachine> {
  const { machine, guest } = plan;
  const lock = await holdLock(join(plan.machinesDir, `vagrant-${machine.uuid}`), "Vagrant's machine", run);
  const scratch = new VagrantScratchMachine(plan, lock);
  try {
    if ((await guest.snapshots.list()).includes(snapshot)) await scratch.reset(run);
    else await scratch.begin(run);
    return scratch;
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

class VagrantScratchMachine implements ScratchMachine {
  readonly name: string;
  readonly base: string;
  readonly distribution: string;
  readonly mac: string;
  readonly sshLine = "vagrant ssh";
  readonly #machine: VagrantMachine;
  readonly #guest: BorrowedGuest;
  readonly #connect: NonNullable<VagrantScratch["connect"]>;
  readonly #lock: AsyncDisposable;
  #host: Host | undefined;
  #isUsed = false;
  #isKept = false;

  constructor({ machine, guest, connect = logIn }: VagrantScratch, lock: AsyncDisposable) {
    this.name = guest.name;
    this.base = machine.base;
    this.distribution = machine.distribution;
    this.mac = guest.mac;
    this.#machine = machine;
    this.#guest = guest;
    this.#connect = connect;
    this.#lock = lock;
  }

  get host(): Host {
    if (!this.#host) throw new Error(`${this.name} is not reset`);
    this.#isUsed = true;
    return this.#host;
  }

  /** Vagrant is content with SSH: what still starts then would be in every test's way. */
  async begin(run: Run): Promise<void> {
    await run.within("Take a snapshot of Vagrant's machine", async (inner) => {
      inner.progress("waiting until it is set up");
      const host = await this.#connect(this.#machine, this.#guest, inner);
      try {
        await waitForCloudInit(host, inner);
        await settle(host);
      } finally {
        await host[Symbol.asyncDispose]();
      }
      inner.progress("saving its memory");
      await this.#guest.snapshots.take(snapshot);
      this.#host = await this.#connect(this.#machine, this.#guest, inner);
    });
  }

  async reset(run: Run): Promise<void> {
    if (this.#host && !this.#isUsed) return;
    await run.within("Make the scratch machine as it was", async (inner) => {
      await hangUp(this.#host);
      this.#host = undefined;
      inner.progress("restoring its memory and its disk");
      await this.#guest.snapshots.revert(snapshot);
      inner.progress("waiting for SSH");
      this.#host = await this.#connect(this.#machine, this.#guest, inner);
      await setClock(this.#host);
    });
    this.#isUsed = false;
  }

  keep(): void {
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _lock = this.#lock;
    await hangUp(this.#host);
    if (this.#isKept) return;
    const { snapshots } = this.#guest;
    if (!(await snapshots.list()).includes(snapshot)) return;
    // It goes on running, as its user had it.
    await snapshots.revert(snapshot);
    await snapshots.forget(snapshot);
  }
}

function logIn(machine: VagrantMachine, guest: BorrowedGuest, run: Run): Promise<Host> {
  return openSshHost({
    name: `${machine.user}@${guest.name}`,
    run: freshToken(),
    signal: run.signal,
    connect: () =>
      waitForSsh({
        name: guest.name,
        addresses: async () => [machine.address],
        targetAt: () => targetOf(machine),
        progress: () => guest.consoleSize(),
        quietMs: LOGIN_MS,
        deadlineMs: LOGIN_MS,
        consoleTail: () => guest.consoleTail(40),
        signal: run.signal,
      }),
  });
}
