import { randomUUID } from "node:crypto";

import type { HostDriver } from "../../src/provisioner/deploy/deployed-host.ts";
import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { DomainState, Guest, HostMark, Mark } from "../../src/provisioner/libvirt/driver.ts";
import type { FoundDomain } from "../../src/provisioner/libvirt/host-domains.ts";
import type { DhcpHost } from "../../src/provisioner/libvirt/networks.ts";
import type { Volume } from "../../src/provisioner/libvirt/volumes.ts";

/** A domain to be there; `changes` say what a test is about. */
export function someDomain(
  changes: Omit<Partial<FoundDomain>, "mark" | "facts"> & {
    readonly mark?: Partial<Mark> | "none";
    readonly host?: Partial<HostMark>;
    readonly facts?: Partial<FoundDomain["facts"]>;
  } = {},
): FoundDomain {
  const { mark, host, facts, ...rest } = changes;
  const name = changes.name ?? "web";
  const uuid = changes.uuid ?? randomUUID();
  const path = (file: string) => `/pool/${name}${file}`;
  return {
    name,
    uuid,
    state: "running",
    autostart: true,
    ...rest,
    mark:
      mark === "none"
        ? undefined
        : {
            role: "host",
            run: "r",
            pid: 1,
            files: [path(".qcow2"), path("-seed.img"), path("-console.log"), path(".disk-data.qcow2")],
            origin: { image: "base@20260101-aa", sha256: "a".repeat(64), mode: "overlay" },
            host: {
              pool: "default",
              hostKey: "ssh-ed25519 AAAA",
              fqdn: undefined,
              users: ["alice"],
              ready: true,
              ...host,
            },
            ...mark,
          },
    facts: {
      name,
      uuid,
      accelerator: "tcg",
      disks: [
        { target: "vda", path: path(".qcow2"), readOnly: false },
        { target: "vdb", path: path(".disk-data.qcow2"), readOnly: false },
        { target: "vdc", path: path("-seed.img"), readOnly: true },
      ],
      macs: ["52:54:00:00:00:01"],
      cpus: 2,
      memoryMiB: 2048,
      cards: [{ mac: "52:54:00:00:00:01", network: "default" }],
      pciDevices: [],
      nvram: undefined,
      console: path("-console.log"),
      ...facts,
    },
  };
}

/** A volume to be there. */
export function someVolume(name: string, changes: Partial<Volume> = {}): Volume {
  return {
    name,
    path: `/pool/${name}`,
    capacity: 10 * 1024 ** 3,
    allocation: 5 * 1024 ** 2,
    bytes: 5 * 1024 ** 2,
    backing: undefined,
    modified: undefined,
    ...changes,
  };
}

/** A hypervisor in memory, as the life of deployed hosts sees it, and what was changed on it. */
export class FakeHypervisor implements HostDriver {
  readonly uri: string;
  readonly journal: string[] = [];
  readonly reserved: DhcpHost[] = [];
  /** What consoles hold, by volume. */
  readonly texts = new Map<string, string>();
  /** How guests differ from one that obeys. */
  guest: Partial<Guest> = {};
  /** Names of domains on which every call fails. */
  readonly broken: string[] = [];
  #domains: FoundDomain[];
  #volumes: Volume[];

  constructor(domains: readonly FoundDomain[] = [], volumes: readonly Volume[] = [], uri = "fake:///system") {
    this.uri = uri;
    this.#domains = [...domains];
    this.#volumes = [...volumes];
  }

  get domainNames(): readonly string[] {
    return this.#domains.map(({ name }) => name);
  }

  get volumeNames(): readonly string[] {
    return this.#volumes.map(({ name }) => name);
  }

  stateOf(name: string): DomainState | undefined {
    return this.#domains.find((domain) => domain.name === name)?.state;
  }

  #change(uuid: string, state: DomainState, word: string): void {
    const found = this.#domains.find((domain) => domain.uuid === uuid);
    if (found === undefined || found.state === state) return;
    this.journal.push(`${word} ${found.name}`);
    this.#domains = this.#domains.map((domain) => (domain === found ? { ...domain, state } : domain));
  }

  readonly hosts: HostDriver["hosts"] = {
    find: async (name) => {
      if (this.broken.includes(name)) throw this.#failure();
      return this.#domains.find((domain) => domain.name === name);
    },
    all: async () => this.#domains,
    define: async () => {},
    setMark: async () => {},
    setAutostart: async () => {},
    guest: ({ name, uuid }) => ({
      ...guestOf(name, uuid),
      state: async () => this.stateOf(name) ?? "shut-off",
      start: async () => this.#change(uuid, "running", "start"),
      shutDown: async () => {
        this.#change(uuid, "shut-off", "shut down");
        return true;
      },
      ...this.guest,
    }),
    powerOff: async (uuid) => this.#change(uuid, "shut-off", "pull the plug of"),
    resume: async (uuid) => this.#change(uuid, "running", "resume"),
    undefine: async (uuid) => {
      const found = this.#domains.find((domain) => domain.uuid === uuid);
      this.journal.push(`undefine ${found?.name ?? uuid}`);
      this.#domains = this.#domains.filter((domain) => domain !== found);
    },
  };

  readonly networks: HostDriver["networks"] = {
    list: async () => [{ name: "default", active: true }],
    start: async (name) => void this.journal.push(`start network ${name}`),
    leases: async () => [],
    hosts: async (network) => {
      if (network === "default") return this.reserved;
      throw new ProvisionError("NETWORK_MISSING", { network, uri: this.uri });
    },
    keepAddress: async (_network, host) => void this.reserved.push(host),
    forgetAddress: async (network, mac) => {
      this.journal.push(`forget ${mac} in ${network}`);
      const at = this.reserved.findIndex((host) => host.mac === mac);
      if (at >= 0) this.reserved.splice(at, 1);
    },
  };

  readonly pools: HostDriver["pools"] = { open: async () => "/pool" };

  readonly volumes: HostDriver["volumes"] = {
    pools: async () => [{ name: "default", active: true, capacity: 1, available: 1 }],
    startPool: nothing,
    stopPool: nothing,
    refresh: nothing,
    list: async () => this.#volumes,
    find: async (_pool, name) => this.#volumes.find((volume) => volume.name === name),
    create: async (_pool, { name }) => someVolume(name),
    copy: async (_pool, _from, { name }) => someVolume(name),
    grow: nothing,
    upload: nothing,
    download: nothing,
    readEnd: async (_pool, name, bytes) => this.#text(name).subarray(-bytes),
    readFrom: async (_pool, name, from) => this.#text(name).subarray(from),
    length: async (_pool, name) => this.#text(name).length,
    remove: async (_pool, name) => void this.#remove((volume) => volume.name === name),
    removeByPath: async (path) => this.#remove((volume) => volume.path === path),
  };

  #text(name: string): Buffer {
    return Buffer.from(this.texts.get(name) ?? "");
  }

  #remove(isMeant: (volume: Volume) => boolean): boolean {
    const gone = this.#volumes.filter(isMeant);
    for (const { name } of gone) this.journal.push(`remove ${name}`);
    this.#volumes = this.#volumes.filter((volume) => !gone.includes(volume));
    return gone.length > 0;
  }

  #failure(): ProvisionError {
    return new ProvisionError("LIBVIRT_STALLED", {
      uri: this.uri,
      call: "virDomainLookupByName",
      seconds: 60,
    });
  }
}

async function nothing(): Promise<void> {}

/** Hypervisors by their URIs; one that is not among them is down. */
export function fakeHypervisors(...all: readonly FakeHypervisor[]): {
  at(uri: string): Promise<FakeHypervisor>;
} {
  return {
    at: async (uri) => {
      const found = all.find((each) => each.uri === uri);
      if (found !== undefined) return found;
      throw new ProvisionError("LIBVIRT_DOWN", { uri, reason: "Connection refused" });
    },
  };
}

function guestOf(name: string, uuid: string): Guest {
  return {
    name,
    uuid,
    accelerator: "tcg",
    state: async () => "running",
    trouble: async () => undefined,
    addresses: async () => [{ address: "192.0.2.1", source: "lease" }],
    waitForOff: async () => true,
    shutDown: async () => true,
    powerOff: nothing,
    saveMemory: nothing,
    restoreMemory: nothing,
    start: async () => {},
    consoleTail: async () => "",
    consoleSize: async () => 0,
    keep: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
