import { stampFile } from "../scripts/service.ts";

/** Where wg-quick(8) looks. */
export const DIRECTORY = "/etc/wireguard";

/** All that an interface has on the machine. */
export interface Places {
  readonly unit: string;
  readonly conf: string;
  /** Its private key, alone: the configuration names it and does not hold it. */
  readonly key: string;
  /** How the unit loads a changed configuration. */
  readonly dropIn: string;
  /** What the interface was started and last loaded with. */
  readonly stamp: string;
}

/** The places of an interface. */
export function placesOf(name: string): Places {
  const unit = `wg-quick@${name}.service`;
  return {
    unit,
    conf: `${DIRECTORY}/${name}.conf`,
    key: `${DIRECTORY}/${name}.key`,
    dropIn: `/etc/systemd/system/${unit}.d/provision.conf`,
    stamp: stampFile(ownName(name)),
  };
}

/** Where a key lies that is shared with a peer; by its public key, in letters that a file name may have. */
export function sharedKeyFile(name: string, publicKey: string): string {
  const peer = publicKey.replaceAll("/", "_").replaceAll("+", "-").replace("=", "");
  return `${DIRECTORY}/${name}.psk-${peer}`;
}

/** What its stamp is called, and the guard of a change of it. */
export function ownName(name: string): string {
  return `wireguard-${name}`;
}
