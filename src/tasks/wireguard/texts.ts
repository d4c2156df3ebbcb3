import { digestOf } from "../../provisioner/core/task.ts";
import { placesOf, sharedKeyFile } from "./files.ts";
import type { Params, Peer } from "./schema.ts";

/** The interface's wg-quick(8) configuration. It holds no key: it says which files hold them. */
export function confText(params: Params): string {
  const { address = [], listenPort, peers = [] } = params;
  const lines = [
    "# By provision; what is changed here by hand is lost.",
    "[Interface]",
    `Address = ${address.join(", ")}`,
    ...(listenPort === undefined ? [] : [`ListenPort = ${listenPort}`]),
    ...keyCommands(params).map((command) => `PostUp = ${command}`),
    ...peers.flatMap((peer) => ["", ...peerLines(peer)]),
    "",
  ];
  return lines.join("\n");
}

function peerLines({ publicKey, endpoint, allowedIps, keepalive }: Peer): readonly string[] {
  return [
    "[Peer]",
    `PublicKey = ${publicKey}`,
    ...(endpoint === undefined ? [] : [`Endpoint = ${endpoint}`]),
    `AllowedIPs = ${allowedIps.join(", ")}`,
    ...(keepalive === undefined ? [] : [`PersistentKeepalive = ${keepalive}`]),
  ];
}

/**
 * The packaged unit reloads by a configuration that has the keys in it; without them it would take the interface's
 * own away.
 */
export function dropInText(params: Params): string {
  const lines = keyCommands(params).map((command) => `ExecReload=/usr/bin/${command}`);
  return ["[Service]", ...lines, ""].join("\n");
}

/** How the interface gets its keys: named by their files, as arguments can be listed by everybody. */
function keyCommands({ interface: name, peers = [] }: Params): readonly string[] {
  const shared = peers
    .filter(({ presharedKey }) => presharedKey !== undefined)
    .map(
      ({ publicKey }) => `wg set ${name} peer ${publicKey} preshared-key ${sharedKeyFile(name, publicKey)}`,
    );
  return [`wg set ${name} private-key ${placesOf(name).key}`, ...shared];
}

/** A configuration of somebody else's may hold keys; nobody is to see them. */
export function withoutKeys(conf: string): string {
  return conf.replaceAll(/^(\s*(?:PrivateKey|PresharedKey)\s*=).*$/gim, "$1 ***");
}

/** The digests by which it is known whether what runs is what is wanted. */
export interface Stamps {
  /** Of what only a start can change: addresses, and routes of everything that is not elsewhere. */
  readonly start: string;
  /** Of all, keys included. */
  readonly all: string;
}

/** What is wanted, as stamps; `keys` are the digests of the keys that the spec brings. */
export function stampsOf(params: Params, keys: readonly string[]): Stamps {
  const { address = [], peers = [] } = params;
  const everywhere = peers.flatMap(({ allowedIps }) => allowedIps.filter((net) => net.endsWith("/0")));
  // wg-quick marks packets for such routes when it starts, and loading anew would take the mark away.
  const start = [address, everywhere.length > 0 ? confText(params) : ""];
  return { start: digestOf(JSON.stringify(start)), all: digestOf(JSON.stringify([confText(params), keys])) };
}

/** Stamps as the machine keeps them. */
export function stampText({ start, all }: Stamps): string {
  return `${start}  start\n${all}  all\n`;
}
