import type { Static } from "typebox";

import { dnsNamePattern } from "./patterns.ts";
import { Type } from "./schema.ts";

/** A network card of a machine, with everything said. */
export interface NetworkCard {
  /** Hardware address, in lower case. */
  readonly mac: string;
  /** Its name on the machine. */
  readonly interface: string;
  readonly dhcp4: boolean;
  readonly dhcp6: boolean;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly dns: { readonly servers: readonly string[]; readonly search: readonly string[] };
}

const closed = { additionalProperties: false };

const texts = (description: string, options: { readonly pattern?: string } = {}) =>
  Type.Optional(Type.Array(Type.String(options), { minItems: 1, uniqueItems: true, description }));

/** What may be said of the addresses of a card, in the files of hosts and in the parameters of tasks. */
export const addressing = {
  dhcp4: Type.Optional(
    Type.Boolean({
      description: "Ask for an IPv4 address; left out: where no such address stands under `addresses`",
    }),
  ),
  dhcp6: Type.Optional(
    Type.Boolean({
      default: false,
      description: "Ask for an IPv6 address; routers that announce a network are heard anyway",
    }),
  ),
  addresses: texts("Addresses with the size of their network: 192.0.2.10/24, 2001:db8::10/64"),
  gateways: texts("Routers to everywhere else, one for IPv4 and one for IPv6"),
  dns: Type.Optional(
    Type.Object(
      {
        servers: texts("Addresses of name servers"),
        search: texts("Domains in which short names are looked for", { pattern: dnsNamePattern }),
      },
      { ...closed, minProperties: 1, description: "Who answers for names here" },
    ),
  ),
};

const schema = Type.Object(addressing);

/** The addresses of a card as a file has them. */
type AddressingText = Static<typeof schema>;

/** The addresses of a card with what is left out filled in. */
export function fillAddressing(text: AddressingText): Omit<NetworkCard, "mac" | "interface"> {
  const { addresses = [], gateways = [], dns } = text;
  return {
    dhcp4: text.dhcp4 ?? addresses.every((address) => address.includes(":")),
    dhcp6: text.dhcp6 ?? false,
    addresses,
    gateways,
    dns: { servers: dns?.servers ?? [], search: dns?.search ?? [] },
  };
}

/** Cards in netplan's words, version 2: told apart by hardware address, named as is said. */
export function networkConfig(cards: readonly NetworkCard[]): Readonly<Record<string, unknown>> {
  return {
    version: 2,
    ethernets: Object.fromEntries(cards.map((card) => [card.interface, ethernet(card)])),
  };
}

function ethernet({ mac, dns, ...card }: NetworkCard): Readonly<Record<string, unknown>> {
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
