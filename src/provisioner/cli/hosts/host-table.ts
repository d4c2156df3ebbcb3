import { visibleLine } from "../render/visible-text.ts";
import { table } from "../table.ts";
import type { ListedHost } from "./list-hosts.ts";

const headings = ["NAME", "STATE", "ADDRESS", "IMAGE", "CPUS", "MEMORY", "AUTOSTART", "HYPERVISOR", "USERS"];

/** Hosts as people read them. What a hypervisor says of them is foreign text. */
export function hostTable(hosts: readonly ListedHost[]): string {
  return table(
    headings,
    hosts.map((host) => cells(host).map((cell) => visibleLine(cell))),
  );
}

function cells(host: ListedHost): readonly string[] {
  const { name, hypervisor, cpus, memoryMiB, autostart, users = [] } = host;
  return [
    name,
    stateWords(host),
    addressWords(host),
    imageWords(host),
    cpus === undefined ? "" : String(cpus),
    memoryMiB === undefined ? "" : `${memoryMiB} MiB`,
    autostart === undefined ? "" : autostart ? "yes" : "no",
    hypervisor,
    users.join(","),
  ].map((cell) => cell || "-");
}

function stateWords({ state, ready }: ListedHost): string {
  const words = state === "shut-off" ? "off" : state;
  return ready === false ? `${words}, unfinished` : words;
}

/** Several of one host are one cell; what nobody could say is not the same as none. */
function addressWords({ state, addresses }: ListedHost): string {
  if (addresses === undefined) return state === "running" ? "?" : "";
  return addresses.join(",");
}

function imageWords({ image, newer }: ListedHost): string {
  if (image === undefined) return "";
  return newer === undefined ? image : `${image} (newer: ${newer})`;
}
