import { writeFile } from "node:fs/promises";

import type { Run } from "../../src/provisioner/core/run.ts";
import type {
  Driver,
  Guest,
  KnownMachine,
  Machine,
  OwnedDomain,
} from "../../src/provisioner/libvirt/driver.ts";

/** A hypervisor in memory: which domains there are, and whether it was closed. */
export class FakeDriver implements Driver {
  readonly uri = "fake:///system";
  /** Domains that are defined, by name. */
  readonly domains = new Map<string, Machine>();
  readonly networks: string[] = [];
  isClosed = false;
  /** What was done to the power and the memory of its guests. */
  readonly journal: string[] = [];
  /** How its guests differ from one that runs, prints nothing and has an address. */
  guests: Partial<Guest> = {};

  async accelerator(): Promise<"tcg"> {
    return "tcg";
  }

  /** Told what ended a boot; true stands for a fall back to another accelerator. */
  fallsBack = async (_error: unknown): Promise<boolean> => false;

  async startNetwork(name: string): Promise<void> {
    this.networks.push(name);
  }

  async boot(machine: Machine): Promise<Guest> {
    this.domains.set(machine.name, machine);
    return this.#guest(machine);
  }

  async adopt({ uuid }: KnownMachine): Promise<Guest | undefined> {
    const machine = [...this.domains.values()].find((each) => each.uuid === uuid);
    return machine && this.#guest(machine);
  }

  #guest(machine: Machine): Guest {
    let isKept = false;
    return {
      name: machine.name,
      uuid: machine.uuid,
      accelerator: "tcg",
      state: async () => "running",
      trouble: async () => undefined,
      addresses: async () => [{ address: "192.0.2.1", source: "lease" }],
      waitForOff: async (_deadlineMs: number, run: Run) => {
        run.signal.throwIfAborted();
        return true;
      },
      shutDown: async () => true,
      powerOff: async () => {
        this.journal.push(`power off ${machine.name}`);
      },
      saveMemory: async (path) => {
        await writeFile(path, `memory of ${machine.name}`);
        this.journal.push(`save ${machine.name}`);
      },
      restoreMemory: async () => {
        this.journal.push(`restore ${machine.name}`);
      },
      start: async () => {},
      consoleTail: async () => "the console's end",
      consoleSize: async () => 0,
      keep: () => {
        isKept = true;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isKept) this.domains.delete(machine.name);
      },
      ...this.guests,
    };
  }

  async owned(): Promise<readonly OwnedDomain[]> {
    return [...this.domains.values()].map(({ name, uuid, mark }) => ({ name, uuid, mark, state: "running" }));
  }

  async remove({ uuid }: Pick<OwnedDomain, "uuid">): Promise<void> {
    for (const [name, machine] of this.domains) if (machine.uuid === uuid) this.domains.delete(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
  }
}
