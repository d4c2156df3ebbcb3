import { parse, stringify } from "yaml";

import type { NetworkCard } from "../../provisioner/core/network-card.ts";
import { networkConfig } from "../../provisioner/core/network-card.ts";

/** The file for these cards. */
export function netplanText(cards: readonly NetworkCard[]): string {
  return `# By provision; what is changed here by hand is lost.\n${inOrder({ network: networkConfig(cards) })}`;
}

/**
 * What a file of netplan means, in one way of writing it: two texts that mean the same read the same here, whatever
 * their order, their quotes and the defaults they spell out. A text that is no mapping stays as it is.
 */
export function meaning(text: string): string {
  const value = readYaml(text);
  return isMapping(value) ? inOrder(plain(value, "")) : text;
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** One word in one form. Netplan takes these for the same, and cloud-init leaves out what is the default. */
function plain(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, key));
  if (isMapping(value)) {
    const route = key === "routes" && value["to"] === "default" ? { ...value, to: everywhere(value) } : value;
    const entries = Object.entries(route).map(([name, item]) => [name, plain(item, name)] as const);
    return Object.fromEntries(entries.filter(([name, item]) => !(isSwitch(name) && item === false)));
  }
  if (isSwitch(key)) return /^(true|yes|on|y)$/i.test(String(value));
  if (isSecret(key)) return "***";
  return key === "macaddress" ? String(value).toLowerCase() : value;
}

function everywhere({ via }: Mapping): string {
  return String(via).includes(":") ? "::/0" : "0.0.0.0/0";
}

function isSwitch(key: string): boolean {
  return key === "dhcp4" || key === "dhcp6";
}

/** Of somebody else's file: no such word is ever ours, and nobody is to see one in a diff. */
function isSecret(key: string): boolean {
  return /password|secret|psk|^key$/.test(key);
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inOrder(value: unknown): string {
  return stringify(value, { sortMapEntries: true, aliasDuplicateObjects: false });
}
