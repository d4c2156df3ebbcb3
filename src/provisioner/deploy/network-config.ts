import type { HostNetwork } from "../spec/host-spec.ts";

/** The cards of a host in netplan's words, version 2: told apart by hardware address, named as the spec says. */
export function networkConfig(networks: readonly HostNetwork[]): Readonly<Record<string, unknown>> {
  return {
    version: 2,
    ethernets: Object.fromEntries(networks.map((card) => [card.interface, ethernet(card)])),
  };
}

function ethernet({ mac, dns, ...card }: HostNetwork): Readonly<Record<string, unknown>> {
  const { servers, search } = dns;
  return {
    match: { macaddress: mac },
    "set-name": card.interface,
    dhcp4: card.dhcp4,
    dhcp6: card.dhcp6,
    ...(card.addresses.length > 0 && { addresses: card.addresses }),
    ...(card.gateways.length > 0 && { routes: card.gateways.map(routeVia) }),
    ...(servers.length + search.length > 0 && {
      nameservers: {
        ...(servers.length > 0 && { addresses: servers }),
        ...(search.length > 0 && { search }),
      },
    }),
  };
}

/** Netplan knows "default" too; the older of the two that read this does not. */
function routeVia(gateway: string): Readonly<Record<string, string>> {
  return { to: gateway.includes(":") ? "::/0" : "0.0.0.0/0", via: gateway };
}
