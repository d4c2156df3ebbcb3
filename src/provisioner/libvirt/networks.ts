import { XMLParser } from "fast-xml-parser";

import { ProvisionError } from "../core/errors.ts";
import type { Pointer } from "./binding.ts";
import type { Connection, Session } from "./connection.ts";
import { unless, takeAll } from "./domains.ts";
import type { Address } from "./driver.ts";
import { virtCodes } from "./virt-error.ts";

/** What a network's DHCP server handed out. It outlives the guest. */
export interface Lease {
  readonly mac: string;
  readonly address: string;
  readonly hostname: string | undefined;
  readonly expires: Date;
}

/** A fixed address a network's DHCP server keeps for a guest. */
export interface DhcpHost {
  readonly mac: string;
  readonly address: string;
  readonly name?: string;
}

/** libvirt's networks. */
export interface Networks {
  list(): Promise<readonly { readonly name: string; readonly active: boolean }[]>;
  /** Starts it when it is off; NETWORK_MISSING when there is none. */
  start(name: string): Promise<void>;
  /** Current leases, of one MAC address where given. */
  leases(name: string, mac?: string): Promise<readonly Lease[]>;
  hosts(name: string): Promise<readonly DhcpHost[]>;
  /** Keeps an address for a guest, now and after a restart; what was kept for its MAC before is replaced. */
  keepAddress(name: string, host: DhcpHost): Promise<void>;
  /** Forgets the address kept for a MAC. Idempotent. */
  forgetAddress(name: string, mac: string): Promise<void>;
}

const command = { delete: 2, addLast: 3 };
const sectionDhcpHost = 4;
const update = { live: 1, config: 2 };

export function networksOf(connection: Connection): Networks {
  const withNetwork = <T>(name: string, work: (on: Session, network: Pointer) => Promise<T>) =>
    connection.use(async (on) => {
      const network = await unless(virtCodes.noNetwork, () =>
        on.call("virNetworkLookupByName", on.connection, name),
      );
      if (network === undefined)
        throw new ProvisionError("NETWORK_MISSING", { network: name, uri: connection.uri });
      return work(on, on.take("virNetworkFree", network));
    });

  return {
    list: () =>
      connection.use(async (on) => {
        const array: [unknown] = [null];
        const count = await on.call("virConnectListAllNetworks", on.connection, array, 0);
        const all = [];
        for (const network of takeAll(on, "virNetworkFree", array, count)) {
          all.push({
            name: await on.call("virNetworkGetName", network),
            active: (await on.call("virNetworkIsActive", network)) === 1,
          });
        }
        return all;
      }),
    start: (name) =>
      withNetwork(name, async (on, network) => {
        if ((await on.call("virNetworkIsActive", network)) === 1) return;
        // Somebody else may have started it in between.
        await unless(virtCodes.operationInvalid, () => on.call("virNetworkCreate", network));
      }),
    leases: (name, mac) => withNetwork(name, (on, network) => leases(on, network, mac)),
    hosts: (name) => withNetwork(name, dhcpHosts),
    keepAddress: (name, host) =>
      withNetwork(name, async (on, network) => {
        // One without DHCP gives addresses to nobody, and libvirt refuses to write one down.
        if (!/<dhcp>/.test(await on.call("virNetworkGetXMLDesc", network, 0))) return;
        const known = (await dhcpHosts(on, network)).find(({ mac }) => mac === host.mac.toLowerCase());
        if (known !== undefined) await change(on, network, command.delete, known);
        await change(on, network, command.addLast, host);
      }),
    forgetAddress: (name, mac) =>
      withNetwork(name, async (on, network) => {
        const known = (await dhcpHosts(on, network)).find((host) => host.mac === mac.toLowerCase());
        if (known !== undefined) await change(on, network, command.delete, known);
      }),
  };
}

async function leases(on: Session, network: Pointer, mac?: string): Promise<readonly Lease[]> {
  const array: [unknown] = [null];
  const count = await on.call("virNetworkGetDHCPLeases", network, mac ?? null, array, 0);
  const [address] = array;
  if (typeof address !== "bigint") return [];
  const all = on.lib.pointers(address, count).map((pointer): Lease => {
    const lease = on.lib.decode(pointer, "virNetworkDHCPLease");
    on.lib.now("virNetworkDHCPLeaseFree", pointer);
    return {
      mac: text(lease["mac"]) ?? "",
      address: text(lease["ipaddr"]) ?? "",
      hostname: text(lease["hostname"]),
      expires: new Date(Number(lease["expirytime"]) * 1000),
    };
  });
  on.lib.free(address);
  return all;
}

const networkParser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseAttributeValue: false,
  htmlEntities: true,
  // `host` stands below `dns` too: there it has no MAC address.
  isArray: (name) => name === "host" || name === "ip",
});

async function dhcpHosts(on: Session, network: Pointer): Promise<readonly DhcpHost[]> {
  const xml = await on.call("virNetworkGetXMLDesc", network, 0);
  const hosts: DhcpHost[] = [];
  for (const ip of networkParser.parse(xml)?.network?.ip ?? []) {
    for (const host of ip?.dhcp?.host ?? []) {
      const { "@mac": mac, "@ip": address, "@name": name } = host ?? {};
      if (typeof mac !== "string" || typeof address !== "string") continue;
      hosts.push({ mac: mac.toLowerCase(), address, ...(typeof name === "string" && { name }) });
    }
  }
  return hosts;
}

async function change(on: Session, network: Pointer, what: number, host: DhcpHost): Promise<void> {
  const name = host.name === undefined ? "" : ` name='${escape(host.name)}'`;
  const xml = `<host mac='${escape(host.mac)}'${name} ip='${escape(host.address)}'/>`;
  const active = (await on.call("virNetworkIsActive", network)) === 1;
  const flags = active ? update.live | update.config : update.config;
  await on.call("virNetworkUpdate", network, what, sectionDhcpHost, -1, xml, flags);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Text for an XML attribute or element. */
export function escape(plain: string): string {
  return plain
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("'", "&apos;")
    .replaceAll('"', "&quot;");
}

const sources = [
  ["lease", 0],
  ["agent", 1],
  ["arp", 2],
] as const;

/** Addresses of a domain on one of its MACs, from every source that answers. None of them is a sign of life. */
export async function domainAddresses(
  on: Session,
  domain: Pointer,
  macs: readonly string[],
): Promise<readonly Address[]> {
  const all: Address[] = [];
  for (const [source, number] of sources) {
    // No agent, no lease server, no support: each is a reason to ask the next, not to fail.
    const interfaces = await interfacesOf(on, domain, number).catch((error: unknown) => {
      if (error instanceof ProvisionError && error.code === "LIBVIRT_FAILED") return [];
      throw error;
    });
    const ours = interfaces.filter(({ mac }) => macs.includes(mac.toLowerCase()));
    all.push(...ours.flatMap(({ addresses }) => addresses.map((address) => ({ address, source }))));
  }
  return all.filter(({ address }) => !/^(fe80:|169\.254\.|127\.|::1$)/i.test(address));
}

async function interfacesOf(
  on: Session,
  domain: Pointer,
  source: number,
): Promise<readonly { readonly mac: string; readonly addresses: readonly string[] }[]> {
  const array: [unknown] = [null];
  const count = await on.callWithin(20_000, "virDomainInterfaceAddresses", domain, array, source, 0);
  const [address] = array;
  if (typeof address !== "bigint") return [];
  const all = on.lib.pointers(address, count).map((pointer) => {
    const one = on.lib.decode(pointer, "virDomainInterface");
    const { addrs } = one;
    const addresses =
      typeof addrs === "bigint"
        ? Array.from({ length: Number(one["naddrs"]) }, (_, index) =>
            String(on.lib.decode(addrs, "virDomainIPAddress", index)["addr"]),
          )
        : [];
    on.lib.now("virDomainInterfaceFree", pointer);
    return { mac: text(one["hwaddr"]) ?? "", addresses };
  });
  on.lib.free(address);
  return all;
}
