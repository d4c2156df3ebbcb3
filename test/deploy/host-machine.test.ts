import { describe, expect, it } from "vitest";

import { hostMachine } from "../../src/provisioner/deploy/host-machine.ts";
import { domainXml, readDomainXml } from "../../src/provisioner/libvirt/domain-xml.ts";
import type { Mark } from "../../src/provisioner/libvirt/driver.ts";
import { someCard, someHost } from "../support/some-host.ts";
import { renderStrict } from "../support/strict-templates.ts";

const mark: Mark = { role: "host", run: "0a1b2c3d", pid: 42, files: ["/pool/web.qcow2"] };
const parts = {
  uuid: "7b0f9c3e-2f0a-4a86-9d6b-3f1f3b0a5c11",
  disk: "/pool/web.qcow2",
  extraDisks: new Map([
    ["data", "/pool/web-data.qcow2"],
    ["logs", "/pool/web-logs.qcow2"],
  ]),
  seed: "/pool/web-seed.img",
  console: "/log/web.log",
  mark,
};

describe("hostMachine", () => {
  it("is the least of a host", () => {
    expect(hostMachine(someHost(), parts)).toEqual({
      name: "web",
      uuid: parts.uuid,
      cpus: 2,
      memoryMiB: 2048,
      disks: [{ path: "/pool/web.qcow2", format: "qcow2" }],
      seed: "/pool/web-seed.img",
      cards: [{ network: "default", mac: "52:54:00:00:00:01" }],
      pciDevices: [],
      console: "/log/web.log",
      mark,
    });
  });

  it("has every disk, card and device of its spec, in order, once libvirt has it", () => {
    const spec = someHost({
      extraDisks: [
        { name: "logs", sizeGiB: 1 },
        { name: "data", sizeGiB: 2 },
      ],
      networks: [someCard(), someCard({ joins: { kind: "bridge", name: "br0" }, mac: "52:54:00:00:00:02" })],
      gpus: ["0000:01:00.0", "0000:01:00.1"],
    });

    const xml = domainXml(hostMachine(spec, parts), "kvm", renderStrict);

    expect(readDomainXml(xml)).toMatchObject({
      name: "web",
      disks: [
        { target: "vda", path: "/pool/web.qcow2" },
        { target: "vdb", path: "/pool/web-logs.qcow2" },
        { target: "vdc", path: "/pool/web-data.qcow2" },
        { target: "vdd", path: "/pool/web-seed.img", readOnly: true },
      ],
      macs: ["52:54:00:00:00:01", "52:54:00:00:00:02"],
    });
    expect(xml.match(/<serial>.*<\/serial>/g)).toEqual(["<serial>logs</serial>", "<serial>data</serial>"]);
    expect(xml.match(/<source (network|bridge)=".*"/g)).toEqual([
      '<source network="default"',
      '<source bridge="br0"',
    ]);
    expect(xml.match(/function="0x\d"/g)).toEqual(['function="0x0"', 'function="0x1"']);
  });
});
