import { filesIn, hostFiles } from "../../src/provisioner/deploy/host-files.ts";
import { hostMachine } from "../../src/provisioner/deploy/host-machine.ts";
import type { Guest } from "../../src/provisioner/libvirt/driver.ts";
import type { FoundDomain } from "../../src/provisioner/libvirt/host-domains.ts";
import type { LibvirtDriver } from "../../src/provisioner/libvirt/libvirt-driver.ts";
import type { Volume } from "../../src/provisioner/libvirt/volumes.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";

const folder = "/pool";
const uuid = "00000000-0000-4000-8000-000000000000";

/** Answers as libvirt would for one host that is deployed, up and as its file says; whatever changes something throws. */
export function standInDriver(spec: HostSpec, hostKey: string): LibvirtDriver {
  const domain = deployed(spec, hostKey);
  return {
    uri: "stand-in:///",
    claims: "",
    accelerator: never,
    fallsBack: never,
    startNetwork: never,
    boot: never,
    adopt: never,
    borrow: never,
    owned: never,
    remove: never,
    claim: never,
    devices: { checkPassable: never },
    hosts: {
      find: async () => domain,
      all: never,
      define: never,
      setMark: never,
      setAutostart: never,
      guest: () => guest(spec.name),
      powerOff: never,
      resume: never,
      undefine: never,
    },
    networks: {
      list: never,
      start: never,
      leases: never,
      hosts: async () => [],
      keepAddress: never,
      forgetAddress: never,
    },
    pools: { open: async () => folder },
    volumes: {
      pools: never,
      startPool: never,
      refresh: never,
      stopPool: never,
      list: never,
      find: async (_pool, name) => volume(name),
      create: never,
      copy: never,
      grow: never,
      upload: never,
      download: never,
      readEnd: never,
      readFrom: never,
      length: never,
      remove: never,
      removeByPath: never,
    },
    async [Symbol.asyncDispose]() {},
  };
}

function never(): Promise<never> {
  return Promise.reject(new Error("A deploy with nothing to do asks libvirt for something it should not"));
}

function deployed(spec: HostSpec, hostKey: string): FoundDomain {
  const { name, pool, fqdn, users } = spec;
  const paths = filesIn(folder, hostFiles(spec));
  const mark: FoundDomain["mark"] = {
    role: "host",
    run: "",
    pid: 1,
    files: [paths.disk, paths.seed, paths.console],
    origin: { image: "base@20260101-00000000", sha256: "0".repeat(64), mode: spec.disk.mode },
    host: { pool, hostKey, fqdn, users: users.map((user) => user.name), ready: true },
  };
  const { cpus, memoryMiB, cards, disks } = hostMachine(spec, { ...paths, uuid, mark });
  return {
    name,
    uuid,
    state: "running",
    mark,
    autostart: spec.autostart,
    facts: {
      name,
      uuid,
      accelerator: "tcg",
      disks: disks.map(({ path }, at) => ({ target: `vd${at}`, path, readOnly: false })),
      macs: cards.map(({ mac }) => mac),
      cpus,
      memoryMiB,
      cards,
      pciDevices: [],
      nvram: undefined,
      console: paths.console,
    },
  };
}

function guest(name: string): Guest {
  return {
    name,
    uuid,
    accelerator: "tcg",
    state: async () => "running",
    trouble: async () => undefined,
    addresses: async () => [{ address: "127.0.0.1", source: "lease" }],
    waitForOff: never,
    shutDown: never,
    start: never,
    powerOff: never,
    saveMemory: never,
    restoreMemory: never,
    consoleTail: async () => "",
    consoleSize: async () => 0,
    keep() {},
    async [Symbol.asyncDispose]() {},
  };
}

function volume(name: string): Volume {
  const bytes = 10 * 1024 ** 3;
  const path = `${folder}/${name}`;
  return { name, path, capacity: bytes, allocation: 0, bytes, backing: undefined, modified: undefined };
}
