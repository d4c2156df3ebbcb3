import type { DiskOrigin, HostMark, Machine, NetworkCard } from "../libvirt/driver.ts";
import type { FoundDomain } from "../libvirt/host-domains.ts";

/** The domain that a host is to be. */
export interface WantedDomain {
  readonly machine: Machine;
  readonly autostart: boolean;
  readonly origin: DiskOrigin;
  /** Of the system's disk; `undefined`: as large as it is. */
  readonly diskGiB: number | undefined;
}

/** The domain that bears the host's name already. */
export interface FoundHost extends Pick<FoundDomain, "state" | "mark" | "facts" | "autostart"> {
  /** Of the system's disk, as the guest sees it. */
  readonly diskGiB: number;
}

/** One thing that differs, and what it takes to change it. */
export interface DomainChange {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** `replace` makes the system's disk anew: what is on it is lost. */
  readonly how: "at once" | "restart" | "replace";
}

/** What is to be done about a host's domain. `foreign`: one of that name is somebody else's, and stays as it is. */
export type DomainPlan =
  | { readonly kind: "create" }
  | { readonly kind: "foreign" }
  | { readonly kind: "change"; readonly changes: readonly DomainChange[]; readonly loses: readonly string[] };

/** Compares the domain there is with the one that is wanted; no change at all is a plan without changes. */
export function planDomain(wanted: WantedDomain, found: FoundHost | undefined): DomainPlan {
  if (found === undefined) return { kind: "create" };
  if (found.mark?.role !== "host") return { kind: "foreign" };
  const changes = [
    ...powerChanges(found),
    ...originChanges(wanted.origin, found.mark.origin),
    ...placeChanges(wanted.machine.mark.host, found.mark.host),
    ...diskChanges(wanted, found),
    ...settingChanges(wanted, found),
  ];
  const loses = changes.some(({ how }) => how === "replace")
    ? [
        `everything on the system's disk of ${wanted.machine.name}, with /home and /var/lib where no extra disk holds them`,
      ]
    : [];
  return { kind: "change", changes, loses };
}

function powerChanges({ state }: FoundHost): readonly DomainChange[] {
  return differs("power", state === "shut-off" || state === "crashed" ? "off" : "on", "on", "at once");
}

/** Disks do not move between pools, and cloud-init wrote the host's full name when it was made. */
function placeChanges(wanted: HostMark | undefined, found: HostMark | undefined): readonly DomainChange[] {
  if (wanted === undefined || found === undefined) return [];
  return [
    ...differs("pool", found.pool, wanted.pool, "replace"),
    ...differs("full name", found.fqdn ?? "none", wanted.fqdn ?? "none", "replace"),
  ];
}

function originChanges(wanted: DiskOrigin, found: DiskOrigin | undefined): readonly DomainChange[] {
  return [
    ...(wanted.sha256 === found?.sha256
      ? []
      : [{ what: "image", from: found?.image ?? "unknown", to: wanted.image, how: "replace" as const }]),
    ...differs("disk mode", found?.mode ?? "unknown", wanted.mode, "replace"),
  ];
}

/** A disk grows under a guest that is off, and with its next boot the file systems do; none shrinks. */
function diskChanges({ machine, diskGiB }: WantedDomain, found: FoundHost): readonly DomainChange[] {
  const size = diskGiB ?? found.diskGiB;
  const how = size < found.diskGiB ? "replace" : whenOff(found);
  const [, ...wanted] = machine.disks.map(({ path }) => path);
  const [, ...there] = found.facts.disks.filter(({ readOnly }) => !readOnly).map(({ path }) => path);
  return [
    ...differs("disk", `${found.diskGiB} GiB`, `${size} GiB`, how),
    ...listChanges("extra disk", there, wanted).map((change) => ({ ...change, how: whenOff(found) })),
  ];
}

function settingChanges({ machine, autostart }: WantedDomain, found: FoundHost): readonly DomainChange[] {
  const { facts } = found;
  const how = whenOff(found);
  const lists = [
    ...listChanges("network card", facts.cards.map(cardWords), machine.cards.map(cardWords)),
    ...listChanges("PCI device", facts.pciDevices, machine.pciDevices ?? []),
  ];
  return [
    ...differs("processors", String(facts.cpus), String(machine.cpus), how),
    ...differs("memory", `${facts.memoryMiB} MiB`, `${machine.memoryMiB} MiB`, how),
    ...lists.map((change) => ({ ...change, how })),
    ...differs("autostart", onOff(found.autostart), onOff(autostart), "at once"),
  ];
}

/** libvirt writes it down at any time; a guest that is up sees it when it starts the next time. */
function whenOff({ state }: FoundHost): "at once" | "restart" {
  return state === "shut-off" || state === "crashed" ? "at once" : "restart";
}

function differs(what: string, from: string, to: string, how: DomainChange["how"]): readonly DomainChange[] {
  return from === to ? [] : [{ what, from, to, how }];
}

function listChanges(
  what: string,
  there: readonly string[],
  wanted: readonly string[],
): readonly Omit<DomainChange, "how">[] {
  return [
    ...there.filter((one) => !wanted.includes(one)).map((one) => ({ what, from: one, to: "none" })),
    ...wanted.filter((one) => !there.includes(one)).map((one) => ({ what, from: "none", to: one })),
  ];
}

function cardWords(card: NetworkCard): string {
  const joins = "network" in card ? `network ${card.network}` : `bridge ${card.bridge}`;
  return `${card.mac.toLowerCase()} on ${joins}`;
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
