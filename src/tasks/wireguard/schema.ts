import type { Static } from "typebox";

import { Type } from "../../provisioner/core/schema.ts";
import { presentOrAbsent, secretOf } from "../../provisioner/core/task.ts";

/** 32 bytes in base64, as `wg` prints keys; the last letter has two bits to spare. */
export const keyPattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$";

const cidr =
  "^(([0-9]{1,3}\\.){3}[0-9]{1,3}/([12]?[0-9]|3[0-2])|[0-9a-fA-F:]*:[0-9a-fA-F:]*/([1-9]?[0-9]|1[01][0-9]|12[0-8]))$";

const peer = Type.Object(
  {
    publicKey: Type.String({
      pattern: keyPattern,
      description: "Its public key: `wg show IF public-key` there",
    }),
    endpoint: Type.Optional(
      Type.String({
        pattern: "^(\\[[0-9a-fA-F:]+\\]|[a-zA-Z0-9.-]+):[0-9]{1,5}$",
        description: "Where it is reached, host:port or [IPv6]:port; left out: it comes by itself",
      }),
    ),
    allowedIps: Type.Array(Type.String({ pattern: cidr }), {
      minItems: 1,
      uniqueItems: true,
      description: "Addresses that are its, with prefix: what it may send from, and what is routed to it",
    }),
    presharedKey: Type.Optional(secretOf("A key that both share beside their own: `wg genpsk` makes one")),
    keepalive: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: "Seconds between packets that keep a way through NAT open",
      }),
    ),
  },
  { additionalProperties: false },
);

/** What a use may say. */
export const schema = Type.Object(
  {
    interface: Type.String({
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9_-]{0,14}$",
      description: "Name of the network interface: wg0",
    }),
    address: Type.Optional(
      Type.Array(Type.String({ pattern: cidr }), {
        minItems: 1,
        uniqueItems: true,
        description: "Its own addresses, with prefix",
      }),
    ),
    listenPort: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: "UDP port; left out: one that is free" }),
    ),
    privateKey: Type.Optional(
      secretOf("Its private key; left out: one is made on the machine, and never leaves it"),
    ),
    peers: Type.Optional(Type.Array(peer, { description: "Who is on the other ends" })),
    state: presentOrAbsent("Whether it is there; absent removes its keys too"),
  },
  {
    additionalProperties: false,
    anyOf: [
      { required: ["address"], properties: { address: {} } },
      { required: ["state"], properties: { state: { const: "absent" } } },
    ],
  },
);

/** A use's parameters. */
export type Params = Static<typeof schema>;

/** One of its peers. */
export type Peer = Static<typeof peer>;
