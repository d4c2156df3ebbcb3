import { connect } from "node:net";

import { ProvisionError } from "../core/errors.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import type { Lease } from "../libvirt/networks.ts";
import type { HostNetwork, HostSpec } from "../spec/host-spec.ts";

/** Long enough for an answer on a local network. */
const knockMs = 1000;

/** What is asked of a place before a host is put there; all of it before anything is touched. */
export interface Place {
  readonly driver: Pick<LibvirtDriver, "uri" | "hosts" | "networks" | "devices">;
  /** Cards whose addresses nobody may answer for yet: this machine could reach them, and the host has none of them. */
  readonly silent: readonly HostNetwork[];
  /** Cards that the host has already: what is kept for them is its own. */
  readonly ownMacs: readonly string[];
}

/** Throws NETWORK_MISSING, MAC_TAKEN, ADDRESS_TAKEN or DEVICE_UNFIT. */
export async function checkPlace(
  { name, gpus, networks }: Pick<HostSpec, "name" | "gpus" | "networks">,
  { driver, silent, ownMacs }: Place,
): Promise<void> {
  for (const gpu of gpus) await driver.devices.checkPassable(gpu);
  // Asked what it keeps, one that is missing says so.
  for (const { joins } of networks) if (joins.kind === "network") await driver.networks.hosts(joins.name);
  const others = (await driver.hosts.all()).filter((domain) => domain.name !== name);
  for (const card of networks) {
    const holder = others.find(({ facts }) => facts.macs.some((mac) => sameMac(mac, card.mac)));
    if (holder)
      throw new ProvisionError("MAC_TAKEN", {
        host: name,
        mac: card.mac,
        domain: holder.name,
        uri: driver.uri,
      });
    for (const address of plainAddresses(card)) {
      const by =
        (await knownHolder(address, card, { driver, macs: [card.mac, ...ownMacs] })) ??
        (silent.includes(card) ? await answers(address) : undefined);
      if (by !== undefined) throw new ProvisionError("ADDRESS_TAKEN", { host: name, address, by });
    }
  }
}

/** Addresses of a card without the size of their network. */
export function plainAddresses({ addresses }: Pick<HostNetwork, "addresses">): readonly string[] {
  return addresses.map((address) => address.replace(/\/\d+$/, ""));
}

/** Starts the networks that a host joins. */
export async function startNetworks(
  { networks }: Pick<HostSpec, "networks">,
  driver: Pick<LibvirtDriver, "startNetwork">,
): Promise<void> {
  for (const { joins } of networks) if (joins.kind === "network") await driver.startNetwork(joins.name);
}

/** Keeps a host's fixed addresses from being given to others by the networks that it joins, and no others for it. */
export async function keepAddresses(
  { name, networks }: Pick<HostSpec, "name" | "networks">,
  driver: Pick<LibvirtDriver, "networks">,
): Promise<void> {
  for (const { joins, mac, ...card } of networks) {
    if (joins.kind !== "network") continue;
    const address = plainAddresses(card).find((each) => !each.includes(":"));
    const kept = (await driver.networks.hosts(joins.name)).find((host) => sameMac(host.mac, mac));
    if (kept?.address === address) continue;
    if (address !== undefined)
      await driver.networks.keepAddress(joins.name, { mac: mac.toLowerCase(), address, name });
    // What somebody else keeps for it is theirs.
    else if (kept?.name === name) await driver.networks.forgetAddress(joins.name, mac);
  }
}

/** Forgets what is kept for a card. A network that is gone keeps nothing. */
export async function forgetAddress(
  { network, mac }: { readonly network: string; readonly mac: string },
  { networks }: Pick<LibvirtDriver, "networks">,
): Promise<void> {
  try {
    await networks.forgetAddress(network, mac);
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.code !== "NETWORK_MISSING") throw error;
  }
}

/** Whom libvirt's own network gave or keeps the address, unless it is one of these cards. */
async function knownHolder(
  address: string,
  { joins }: HostNetwork,
  {
    driver: { networks },
    macs,
  }: { readonly driver: Pick<LibvirtDriver, "networks">; readonly macs: readonly string[] },
): Promise<string | undefined> {
  if (joins.kind !== "network") return undefined;
  const isOther = ({ mac }: { readonly mac: string }) => !macs.some((own) => sameMac(own, mac));
  const kept = (await networks.hosts(joins.name)).find((host) => host.address === address);
  if (kept !== undefined && isOther(kept)) return `kept for ${kept.name ?? kept.mac}`;
  const lease = (await networks.leases(joins.name)).find((each) => each.address === address);
  if (lease === undefined || !isOther(lease) || isOver(lease)) return undefined;
  return `leased to ${lease.hostname ?? lease.mac}`;
}

/** One without an end has 0 there. */
function isOver({ expires }: Lease): boolean {
  return expires.getTime() !== 0 && expires.getTime() < Date.now();
}

/** Somebody who takes a connection, or refuses it, is there. */
function answers(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const end = (by?: string) => {
      socket.destroy();
      clearTimeout(timer);
      resolve(by);
    };
    const timer = setTimeout(end, knockMs);
    socket.on("connect", () => end("answered for by another machine"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      end(code === "ECONNREFUSED" ? "answered for by another machine" : undefined),
    );
  });
}

function sameMac(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
