import { XMLParser } from "fast-xml-parser";

import type { RenderTemplate } from "../core/templates.ts";
import type { Accelerator, Machine, NetworkCard } from "./driver.ts";
import { markToXml } from "./mark.ts";

/** A machine as libvirt's domain XML. */
export function domainXml(machine: Machine, accelerator: Accelerator, render: RenderTemplate): string {
  const seed = machine.seed === undefined ? [] : [{ path: machine.seed, format: "raw", readOnly: true }];
  const disks = [...machine.disks, ...seed].map((disk, index) => ({
    cache: undefined,
    serial: undefined,
    readOnly: false,
    ...disk,
    target: `vd${String.fromCodePoint(0x61 + index)}`,
    bootOrder: index === 0 && machine.disks.length > 0 ? 1 : undefined,
  }));
  return render("domain.xml", {
    name: machine.name,
    uuid: machine.uuid,
    mark: markToXml(machine.mark),
    memoryMiB: machine.memoryMiB,
    cpus: machine.cpus,
    efi: machine.firmware !== "bios",
    domainType: accelerator === "kvm" ? "kvm" : "qemu",
    cpuMode: accelerator === "kvm" ? "host-passthrough" : "maximum",
    disks,
    cards: machine.cards.map(({ mac, ...joins }) => ({
      network: undefined,
      bridge: undefined,
      mac,
      ...joins,
    })),
    pciDevices: (machine.pciDevices ?? []).map(pciAddress),
    console: machine.console,
  });
}

/** 0000:01:00.0 in the parts that libvirt wants it in. */
function pciAddress(device: string): Readonly<Record<"domain" | "bus" | "slot" | "function", string>> {
  const [domain = "", bus = "", slot = "", part = ""] = device.split(/[:.]/);
  return { domain, bus, slot, function: part };
}

/** What we read back of a domain. */
export interface DomainFacts {
  readonly name: string;
  readonly uuid: string;
  readonly accelerator: Accelerator;
  readonly disks: readonly { readonly target: string; readonly path: string; readonly readOnly: boolean }[];
  readonly macs: readonly string[];
  /** 0 when it cannot be read. */
  readonly cpus: number;
  /** 0 when it cannot be read. */
  readonly memoryMiB: number;
  readonly cards: readonly NetworkCard[];
  /** PCI devices that are handed through: 0000:01:00.0. */
  readonly pciDevices: readonly string[];
  readonly nvram: string | undefined;
  readonly console: string | undefined;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: true,
  isArray: (_name, path) =>
    ["disk", "interface", "serial", "hostdev"].some((name) => `domain.devices.${name}` === String(path)),
});

/** The few facts we use of libvirt's domain XML. */
export function readDomainXml(xml: string): DomainFacts {
  const domain = at(parser.parse(xml), "domain");
  const devices = at(domain, "devices");
  return {
    name: text(at(domain, "name")) ?? "",
    uuid: text(at(domain, "uuid")) ?? "",
    accelerator: at(domain, "@type") === "kvm" ? "kvm" : "tcg",
    disks: list(at(devices, "disk")).flatMap((disk) => {
      const path = text(at(disk, "source", "@file"));
      const target = text(at(disk, "target", "@dev")) ?? "";
      return path === undefined ? [] : [{ target, path, readOnly: at(disk, "readonly") !== undefined }];
    }),
    macs: list(at(devices, "interface")).flatMap((one) => text(at(one, "mac", "@address")) ?? []),
    cpus: Number(content(at(domain, "vcpu")) ?? 0),
    memoryMiB: memoryOf(at(domain, "memory")),
    cards: list(at(devices, "interface")).flatMap(cardOf),
    pciDevices: list(at(devices, "hostdev")).flatMap(deviceOf),
    nvram: text(at(domain, "os", "nvram")) ?? text(at(domain, "os", "nvram", "#text")),
    console: list(at(devices, "serial")).map((one) => text(at(one, "source", "@path")))[0],
  };
}

function cardOf(one: unknown): readonly NetworkCard[] {
  const mac = text(at(one, "mac", "@address"));
  const network = text(at(one, "source", "@network"));
  const bridge = text(at(one, "source", "@bridge"));
  if (mac === undefined) return [];
  // The bridge that a network runs on is told beside its name while the guest is up.
  if (network !== undefined) return [{ mac, network }];
  return bridge === undefined ? [] : [{ mac, bridge }];
}

function deviceOf(one: unknown): readonly string[] {
  const [domain, bus, slot, part] = ["domain", "bus", "slot", "function"].map((name) =>
    text(at(one, "source", "address", `@${name}`))?.replace(/^0x/, ""),
  );
  if (bus === undefined || slot === undefined || part === undefined) return [];
  return [`${(domain ?? "").padStart(4, "0")}:${bus.padStart(2, "0")}:${slot.padStart(2, "0")}.${part}`];
}

/** libvirt answers in KiB, whatever it was told. */
function memoryOf(memory: unknown): number {
  const amount = Number(content(memory) ?? 0);
  return at(memory, "@unit") === "MiB" ? amount : Math.round(amount / 1024);
}

/** An element's text, whether it has attributes beside it or not. */
function content(element: unknown): string | undefined {
  return text(element) ?? text(at(element, "#text"));
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
