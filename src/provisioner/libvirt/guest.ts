import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";
import { type Agent, agentOf } from "./agent.ts";
import type { Connection } from "./connection.ts";
import { domainCondition, type DomainCondition, powerOff, pressPowerButton, withDomain } from "./domains.ts";
import type { Accelerator, Address, DomainState, Guest } from "./driver.ts";
import { domainAddresses } from "./networks.ts";
import { type Snapshots, snapshotsOf } from "./snapshots.ts";

/** How long a guest may take to obey the power button; under TCG everything is slow. */
const shutDownMs = { kvm: 90_000, tcg: 300_000 };
/** Early in a boot the button is not heard, so it is pressed again. */
const pressAgainMs = 15_000;
const startMs = 180_000;

/** What a guest's serial port printed. */
export interface Console {
  /** Bytes so far. */
  size(): Promise<number>;
  /** Last lines, cleaned. */
  tail(lines?: number): Promise<string>;
}

/** A domain that is known to libvirt. */
export class LibvirtGuest implements Guest {
  readonly name: string;
  readonly uuid: string;
  readonly accelerator: Accelerator;
  readonly agent: Agent;
  readonly snapshots: Snapshots;
  readonly #macs: readonly string[];
  readonly #console: Console;
  readonly #connection: Connection;
  readonly #remove: () => Promise<void>;
  #kept = false;

  constructor(options: {
    readonly machine: { readonly name: string; readonly uuid: string; readonly macs: readonly string[] };
    readonly console: Console;
    readonly accelerator: Accelerator;
    readonly connection: Connection;
    readonly remove: () => Promise<void>;
  }) {
    const { machine, connection } = options;
    this.name = machine.name;
    this.uuid = machine.uuid;
    this.accelerator = options.accelerator;
    this.#macs = machine.macs.map((mac) => mac.toLowerCase());
    this.#console = options.console;
    this.#connection = connection;
    this.#remove = options.remove;
    this.agent = agentOf(connection, machine);
    this.snapshots = snapshotsOf(connection, machine.uuid);
  }

  async state(): Promise<DomainState> {
    return (await this.#condition()).state;
  }

  async trouble(): Promise<string | undefined> {
    const { state, trouble } = await this.#condition();
    return trouble ?? (state === "shut-off" ? "powered itself off" : undefined);
  }

  /** State, and what is wrong with it. A domain that somebody removed is off, and in trouble. */
  async #condition(): Promise<DomainCondition> {
    const condition = await withDomain(this.#connection, this.uuid, domainCondition);
    return condition ?? { state: "shut-off", trouble: "was removed by somebody else" };
  }

  async addresses(): Promise<readonly Address[]> {
    const all = await withDomain(this.#connection, this.uuid, (on, domain) =>
      domainAddresses(on, domain, this.#macs),
    );
    return all ?? [];
  }

  async waitForOff(deadlineMs: number, run: Run): Promise<boolean> {
    const off = await until(
      async () => {
        const { state, trouble } = await this.#condition();
        if (trouble !== undefined) throw await this.#died(trouble);
        return state === "shut-off" ? true : undefined;
      },
      { deadlineMs, pauseMs: 200, longestMs: 1000, signal: run.signal, now: run.now },
    );
    return off ?? false;
  }

  async shutDown(run: Run): Promise<boolean> {
    if (await this.#isOff()) return true;
    let pressed = -Infinity;
    const off = await until(
      async () => {
        if (await this.#isOff()) return true;
        if (run.now() - pressed >= pressAgainMs) {
          await withDomain(this.#connection, this.uuid, pressPowerButton);
          pressed = run.now();
        }
        return undefined;
      },
      {
        deadlineMs: shutDownMs[this.accelerator],
        pauseMs: 200,
        longestMs: 1000,
        signal: run.signal,
        now: run.now,
      },
    );
    if (off === true) return true;
    run.note(`Guest "${this.name}" did not power off by itself; its plug was pulled`, "warning");
    await this.powerOff();
    return false;
  }

  async powerOff(): Promise<void> {
    await withDomain(this.#connection, this.uuid, powerOff);
  }

  saveMemory(path: string): Promise<void> {
    return this.snapshots.save(path);
  }

  restoreMemory(path: string): Promise<void> {
    return this.snapshots.restore(path);
  }

  async start(run: Run): Promise<void> {
    run.signal.throwIfAborted();
    if (!(await this.#isOff())) return;
    const started = await withDomain(this.#connection, this.uuid, (on, domain) =>
      on.callWithin(startMs, "virDomainCreateWithFlags", domain, 0),
    );
    if (started === undefined) throw await this.#died("was removed by somebody else");
  }

  consoleTail(lines?: number): Promise<string> {
    return this.#console.tail(lines);
  }

  consoleSize(): Promise<number> {
    return this.#console.size();
  }

  keep(): void {
    this.#kept = true;
  }

  /** GUEST_DIED with the end of its console. */
  async #died(reason: string): Promise<ProvisionError> {
    const console = await this.consoleTail();
    return new ProvisionError("GUEST_DIED", { guest: this.name, reason, console });
  }

  async #isOff(): Promise<boolean> {
    const { state } = await this.#condition();
    return state === "shut-off" || state === "crashed";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#kept) return;
    await this.#remove();
  }
}
