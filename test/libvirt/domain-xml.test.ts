import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { domainXml, readDomainXml } from "../../src/provisioner/libvirt/domain-xml.ts";
import type { Machine, Mark } from "../../src/provisioner/libvirt/driver.ts";
import { markFromXml, markToXml } from "../../src/provisioner/libvirt/mark.ts";
import { someMachine } from "../support/machine.ts";
import { renderStrict } from "../support/strict-templates.ts";

const xmlOf = (changes: Partial<Machine> = {}, accelerator: "kvm" | "tcg" = "tcg") =>
  domainXml(someMachine(changes), accelerator, renderStrict).replace(/\s+/g, " ");

describe("domainXml", () => {
  it.each([
    ["emulates every feature it can under TCG", xmlOf(), '<cpu mode="maximum"/>'],
    ["is of QEMU's own type under TCG", xmlOf(), '<domain type="qemu">'],
    ["hands the processor through under KVM", xmlOf({}, "kvm"), '<cpu mode="host-passthrough"/>'],
    ["is of type kvm under KVM", xmlOf({}, "kvm"), '<domain type="kvm">'],
    ["lets libvirt choose the EFI firmware", xmlOf(), '<os firmware="efi">'],
    ["switches Secure Boot off", xmlOf(), '<feature enabled="no" name="secure-boot"/>'],
    [
      "gives disks by path as virtio",
      xmlOf(),
      '<source file="/images/disk.qcow2"/> <target dev="vda" bus="virtio"/>',
    ],
    ["passes discards on", xmlOf(), '<driver name="qemu" type="qcow2" discard="unmap"/>'],
    [
      "does not wait for the host's disk when the cache is unsafe",
      xmlOf({ disks: [{ path: "/d", format: "raw", cache: "unsafe" }] }),
      '<driver name="qemu" type="raw" cache="unsafe" discard="unmap"/>',
    ],
    ["boots from the first disk", xmlOf(), '<boot order="1"/>'],
    [
      "attaches the seed as the last virtio disk, read-only",
      xmlOf({ seed: "/images/seed.img" }),
      '<source file="/images/seed.img"/> <target dev="vdb" bus="virtio"/> <readonly/>',
    ],
    [
      "joins the network with its MAC address",
      xmlOf(),
      '<mac address="52:54:00:00:00:01"/> <source network="default"/> <model type="virtio"/>',
    ],
    [
      "writes the serial console to a file that is appended to",
      xmlOf(),
      '<serial type="file"> <source path="/images/console.log" append="on"/>',
    ],
    ["has a channel for the guest's agent", xmlOf(), 'name="org.qemu.guest_agent.0"'],
    [
      "joins each network and bridge it is to, in order",
      xmlOf({
        cards: [
          { network: "default", mac: "52:54:00:00:00:01" },
          { bridge: "br0", mac: "52:54:00:00:00:02" },
        ],
      }),
      '<source network="default"/> <model type="virtio"/> </interface> <interface type="bridge"> <mac address="52:54:00:00:00:02"/> <source bridge="br0"/>',
    ],
    [
      "gives a disk the serial that the guest finds it by",
      xmlOf({ disks: [{ path: "/d", format: "raw", serial: "data" }] }),
      '<target dev="vda" bus="virtio"/> <serial>data</serial>',
    ],
    [
      "hands a PCI device through",
      xmlOf({ pciDevices: ["0000:c1:1f.7"] }),
      '<hostdev mode="subsystem" type="pci" managed="yes"> <source> <address domain="0x0000" bus="0xc1" slot="0x1f" function="0x7"/>',
    ],
    ["has entropy from the start", xmlOf(), '<rng model="virtio">'],
    ["hears of a panicking kernel", xmlOf(), '<panic model="isa"/>'],
    ["stays off when it powers off or crashes", xmlOf(), "<on_crash>destroy</on_crash>"],
  ])("%s", (_title, xml, part) => {
    expect(xml).toContain(part);
  });

  it.each([
    [
      "a second boot disk",
      xmlOf({ disks: ["a", "b"].map((path) => ({ path: `/${path}`, format: "raw" })) }),
      /boot order="2"/,
    ],
    ["a network card when it joins no network", xmlOf({ cards: [] }), /<interface/],
    ["firmware when it is a BIOS guest", xmlOf({ firmware: "bios" }), /firmware/],
    ["PCI device of the hypervisor", xmlOf(), /<hostdev/],
    ["serial of its own choosing", xmlOf(), /<serial>/],
    ["graphics", xmlOf(), /<graphics|<video/],
    ["a SATA disk", xmlOf({ seed: "/s" }), /sata|ide|cdrom/],
  ])("has no %s", (_title, xml, part) => {
    expect(xml).not.toMatch(part);
  });

  it("is for a builder, to the letter, what it always was", () => {
    const builder = someMachine({
      name: "provision-builder-0a1b2c3d",
      uuid: "7b0f9c3e-2f0a-4a86-9d6b-3f1f3b0a5c11",
      disks: [{ path: "/images/disk.qcow2", format: "qcow2", cache: "unsafe" }],
      seed: "/images/seed.img",
      mark: { role: "builder", run: "0a1b2c3d", pid: 42, files: ["/images/seed.img"] },
    });

    expect(domainXml(builder, "tcg", renderStrict)).toBe(
      readFileSync(new URL("golden/builder.xml", import.meta.url), "utf8"),
    );
  });

  it("comes back whole when its values are full of XML", () => {
    const path = `/images/a"b'c<d>&e;=%$.qcow2`;
    const xml = domainXml(
      someMachine({ name: "x&<y>", disks: [{ path, format: "raw" }], seed: "/s & t", console: "/c<o>" }),
      "kvm",
      renderStrict,
    );

    const facts = readDomainXml(xml);

    expect(facts).toMatchObject({
      name: "x&<y>",
      accelerator: "kvm",
      disks: [
        { target: "vda", path, readOnly: false },
        { target: "vdb", path: "/s & t", readOnly: true },
      ],
      macs: ["52:54:00:00:00:01"],
      cpus: 2,
      memoryMiB: 512,
      cards: [{ network: "default", mac: "52:54:00:00:00:01" }],
      pciDevices: [],
      console: "/c<o>",
    });
  });

  it("is read as libvirt gives it back: in KiB, with the bridge of a network that runs", () => {
    const xml = `<domain type="kvm"><name>web</name><memory unit="KiB">4194304</memory><vcpu placement="static">4</vcpu>
      <devices>
        <interface type="network"><mac address="52:54:00:00:00:01"/><source network="default" portid="x" bridge="virbr0"/></interface>
        <interface type="bridge"><mac address="52:54:00:00:00:02"/><source bridge="br0"/></interface>
        <interface type="user"><mac address="52:54:00:00:00:03"/></interface>
        <hostdev mode="subsystem" type="pci" managed="yes">
          <driver name="vfio"/>
          <source><address domain="0x0000" bus="0x01" slot="0x00" function="0x0"/></source>
          <address type="pci" domain="0x0000" bus="0x06" slot="0x00" function="0x0"/>
        </hostdev>
        <hostdev mode="subsystem" type="usb"><source><vendor id="0x1234"/></source></hostdev>
      </devices></domain>`;

    expect(readDomainXml(xml)).toMatchObject({
      cpus: 4,
      memoryMiB: 4096,
      cards: [
        { mac: "52:54:00:00:00:01", network: "default" },
        { mac: "52:54:00:00:00:02", bridge: "br0" },
      ],
      macs: ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"],
      pciDevices: ["0000:01:00.0"],
    });
  });

  it("throws when the template asks for a name it is not given", () => {
    expect(() => renderStrict("domain.xml", { name: "x" })).toThrow(/not defined/);
  });
});

describe("a mark", () => {
  const mark: Mark = {
    role: "builder",
    run: `run <1> & "two" ' ]]>`,
    pid: 42,
    files: ["/images/ü b.qcow2", "/images/\u0001\n"],
    owner: { pid: 42, machine: "m", boot: "b", started: "123" },
    origin: { image: "base@20260131-0a1b2c3d", sha256: "a".repeat(64), mode: "copy" },
  };

  it("comes back as it was when it went through XML", () => {
    expect(markFromXml(markToXml(mark))).toEqual(mark);
  });

  it("comes back as it was when libvirt put its own prefix and spacing around it", () => {
    const xml = markToXml(mark)
      .replaceAll("provision:mark", "other:mark")
      .replace("xmlns:provision", "xmlns:other");

    expect(markFromXml(`\n  ${xml}\n`)).toEqual(mark);
  });

  it.each([
    ["no JSON", "<mark>{</mark>"],
    ["an unknown role", `<mark>{"role":"king","run":"r","pid":1,"files":[]}</mark>`],
    ["a relative path", `<mark>{"role":"probe","run":"r","pid":1,"files":["etc/passwd"]}</mark>`],
    ["no pid", `<mark>{"role":"probe","run":"r","files":[]}</mark>`],
    ["another element", "<other>1</other>"],
  ])("is no mark when it holds %s", (_title, xml) => {
    expect(markFromXml(xml)).toBeUndefined();
  });
});
