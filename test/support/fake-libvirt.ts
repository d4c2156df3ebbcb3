import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { DeployDriver } from "../../src/provisioner/deploy/deployment.ts";
import { domainXml, readDomainXml } from "../../src/provisioner/libvirt/domain-xml.ts";
import type { Accelerator, DomainState, Guest, Machine, Mark } from "../../src/provisioner/libvirt/driver.ts";
import type { FoundDomain } from "../../src/provisioner/libvirt/host-domains.ts";
import { markFromXml, markToXml } from "../../src/provisioner/libvirt/mark.ts";
import type { DhcpHost, Lease } from "../../src/provisioner/libvirt/networks.ts";
import { FakeVolumes } from "./fake-volumes.ts";
import { renderStrict } from "./strict-templates.ts";

/** A domain of the fake hypervisor. */
export interface FakeDomain {
  readonly machine: Omit<Machine, "mark"> & { readonly mark: Mark | undefined };
  readonly accelerator: Accelerator;
  readonly autostart: boolean;
  readonly state: DomainState;
  /** Why it cannot go on. */
  readonly trouble?: string;
}

/** A hypervisor in memory, as deployments see it. It writes down each call, and can be made to fail at any. */
export class FakeLibvirt {
  /** Each call with what it is about, in order: `hosts.define web`. */
  readonly calls: string[] = [];
  readonly domains = new Map<string, FakeDomain>();
  readonly disks: FakeVolumes;
  readonly reservations: (DhcpHost & { readonly network: string })[] = [];
  readonly leases: (Lease & { readonly network: string })[] = [];
  readonly networks = new Set(["default"]);
  accelerators: Accelerator[] = ["tcg"];
  /** What a guest comes to when it is started: trouble, or none. */
  boot: (domain: FakeDomain) => string | undefined = () => undefined;
  /** Told of each call before it is carried out; what it throws is what the call comes to. */
  before: (call: string) => void | Promise<void> = () => {};
  /** Told of each call after it was carried out. */
  after: (call: string) => void = () => {};
  readonly driver: DeployDriver;

  constructor() {
    this.disks = new FakeVolumes();
    const { disks } = this;
    this.driver = {
      uri: "fake:///system",
      ...this.watched("", {
        accelerator: async () => this.accelerators[0] ?? "tcg",
        fallsBack: async () => this.accelerators.length > 1 && this.accelerators.shift() !== undefined,
        startNetwork: async (name: string) => this.#mustHave(name),
      }),
      devices: this.watched("devices.", { checkPassable: async () => {} }),
      pools: this.watched("pools.", { open: async (name: string) => disks.folder(name) }),
      volumes: this.watched("volumes.", disks.methods),
      networks: this.watched("networks.", this.#networkMethods()),
      hosts: this.watched("hosts.", this.#hostMethods()),
    };
  }

  /** Fails the first call that is such a one. */
  failOnce(isIt: (call: string, count: number) => boolean): void {
    const { before } = this;
    let count = 0;
    let hasFailed = false;
    this.before = async (call) => {
      await before(call);
      if (hasFailed || !isIt(call, ++count)) return;
      hasFailed = true;
      throw failed(call, "as the test wants it");
    };
  }

  /** From the call of this number on (from 1) nothing gets through any more, as if who calls had been killed. */
  dieAt(call: number): void {
    let count = 0;
    this.before = (line) => {
      if (++count >= call) throw failed(line, "nobody is there any more");
    };
  }

  /** Notes and counts calls of these methods, as it does those of its own. */
  watched<T extends object>(prefix: string, methods: T): T {
    const entries = Object.entries(methods).map(([name, method]) => {
      if (name === "guest") return [name, method] as const;
      const call = async (...args: readonly unknown[]) => {
        const line = [`${prefix}${name}`, ...args.flatMap((arg) => this.#words(arg))].join(" ");
        this.calls.push(line);
        await this.before(line);
        const value: unknown = await (method as (...all: readonly unknown[]) => unknown)(...args);
        this.after(line);
        return value;
      };
      return [name, call] as const;
    });
    return Object.fromEntries(entries) as T;
  }

  /** A domain's name for its UUID; nothing of what says little. */
  #words(value: unknown): readonly string[] {
    if (typeof value === "string") return [this.#byUuid(value)?.machine.name ?? value];
    if (typeof value !== "object" || value === null || !("name" in value)) return [];
    return typeof value.name === "string" ? [value.name] : [];
  }

  #byUuid(uuid: string): FakeDomain | undefined {
    return [...this.domains.values()].find(({ machine }) => machine.uuid === uuid);
  }

  change(uuid: string, changes: Partial<FakeDomain>): void {
    const found = this.#byUuid(uuid);
    if (found !== undefined) this.domains.set(found.machine.name, { ...found, ...changes });
  }

  #found({ machine, accelerator, autostart, state }: FakeDomain): FoundDomain {
    const { name, uuid, mark } = machine;
    const placeholder: Mark = { role: "host", run: "", pid: 0, files: [] };
    const xml = domainXml({ ...machine, mark: mark ?? placeholder }, accelerator, renderStrict);
    // As it comes back of the metadata: what does not survive that is lost in earnest too.
    const kept = mark && markFromXml(markToXml(mark));
    return { name, uuid, state, mark: kept, facts: readDomainXml(xml), autostart };
  }

  #hostMethods(): DeployDriver["hosts"] {
    return {
      find: async (name) => {
        const domain = this.domains.get(name);
        return domain && this.#found(domain);
      },
      all: async () => [...this.domains.values()].map((domain) => this.#found(domain)),
      define: async (machine, accelerator) => {
        const there = this.domains.get(machine.name);
        if (there !== undefined && there.machine.uuid !== machine.uuid)
          throw failed("virDomainDefineXMLFlags", `domain '${machine.name}' already exists`);
        const { autostart, state } = there ?? { autostart: false, state: "shut-off" as const };
        this.domains.set(machine.name, { machine, accelerator, autostart, state });
      },
      setMark: async (uuid, mark) => {
        const found = this.#byUuid(uuid);
        if (found !== undefined) this.change(uuid, { machine: { ...found.machine, mark } });
      },
      setAutostart: async (uuid, autostart) => this.change(uuid, { autostart }),
      guest: ({ name, uuid }) => this.#guest(name, uuid),
      powerOff: async (uuid) => this.change(uuid, { state: "shut-off" }),
      resume: async (uuid) => this.change(uuid, { state: "running" }),
      undefine: async (uuid) => {
        const found = this.#byUuid(uuid);
        if (found !== undefined) this.domains.delete(found.machine.name);
      },
    };
  }

  #guest(name: string, uuid: string): Guest {
    const methods = this.watched("guest.", {
      state: async () => this.#byUuid(uuid)?.state ?? ("shut-off" as const),
      trouble: async () => this.#byUuid(uuid)?.trouble,
      addresses: async () => [],
      waitForOff: async () => true,
      shutDown: async ({ signal }: { readonly signal: AbortSignal }) => {
        signal.throwIfAborted();
        this.change(uuid, { state: "shut-off" });
        return true;
      },
      start: async ({ signal }: { readonly signal: AbortSignal }) => {
        signal.throwIfAborted();
        const found = this.#byUuid(uuid);
        if (found === undefined || found.state === "running") return;
        const { machine } = found;
        for (const path of [...machine.disks.map((disk) => disk.path), machine.seed ?? ""])
          if (!this.disks.has(path))
            throw failed("virDomainCreateWithFlags", `Cannot access storage file '${path}'`);
        this.disks.write(machine.console, `${name} boots\n`);
        const trouble = this.boot(found);
        this.change(uuid, { state: "running", ...(trouble !== undefined && { trouble }) });
      },
      powerOff: async () => this.change(uuid, { state: "shut-off" }),
      // Nobody saves the memory of a host that is deployed.
      saveMemory: async () => {},
      restoreMemory: async () => {},
      consoleTail: async () => "the console's end",
      consoleSize: async () => 0,
    });
    const accelerator = this.#byUuid(uuid)?.accelerator ?? "tcg";
    return { name, uuid, accelerator, ...methods, keep: () => {}, [Symbol.asyncDispose]: async () => {} };
  }

  #mustHave(network: string): void {
    if (!this.networks.has(network))
      throw new ProvisionError("NETWORK_MISSING", { network, uri: "fake:///system" });
  }

  #networkMethods(): DeployDriver["networks"] {
    const drop = (network: string, mac: string) => {
      const at = this.reservations.findIndex((host) => host.network === network && host.mac === mac);
      if (at !== -1) this.reservations.splice(at, 1);
    };
    return {
      list: async () => [...this.networks].map((name) => ({ name, active: true })),
      start: async (name) => this.#mustHave(name),
      leases: async (network) => this.leases.filter((lease) => lease.network === network),
      hosts: async (network) => {
        this.#mustHave(network);
        return this.reservations.filter((host) => host.network === network);
      },
      keepAddress: async (network, host) => {
        this.#mustHave(network);
        drop(network, host.mac);
        if (this.reservations.some((other) => other.network === network && other.address === host.address))
          throw failed("virNetworkUpdate", "there is an existing dhcp host entry");
        this.reservations.push({ network, ...host });
      },
      forgetAddress: async (network, mac) => {
        this.#mustHave(network);
        drop(network, mac.toLowerCase());
      },
    };
  }
}

function failed(call: string, reason: string): ProvisionError {
  return new ProvisionError("LIBVIRT_FAILED", { uri: "fake:///system", call, code: 1, domain: 0, reason });
}
