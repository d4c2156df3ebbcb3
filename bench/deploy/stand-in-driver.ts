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
  return onlyThese<LibvirtDriver>({
    uri: "stand-in:///",
    hosts: onlyThese<LibvirtDriver["hosts"]>({ find: async () => domain, guest: () => guest(spec.name) }),
    networks: onlyThese<LibvirtDriver["networks"]>({ hosts: async () => [] }),
    pools: { open: async () => folder },
    volumes: onlyThese<LibvirtDriver["volumes"]>({ find: async (_pool, name) => volume(name) }),
    async [Symbol.asyncDispose]() {},
  });
}

/** Something that can do what is given and refuses all else that it could be asked for. */
function onlyThese<Whole extends object>(given: Partial<Whole>): Whole {
  return new Proxy(given, {
    get: (own, name) => {
      // What is awaited is looked at for a `then` of its own.
      if (name in own || name === "then") return Reflect.get(own, name) as unknown;
      return () => Promise.reject(new Error(`A deploy with nothing to do asks libvirt for ${String(name)}`));
    },
  }) as Whole;
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
  return onlyThese<Guest>({
    name,
    uuid,
    accelerator: "tcg",
    state: async () => "running",
    trouble: async () => undefined,
    addresses: async () => [{ address: "127.0.0.1", source: "lease" }],
    consoleTail: async () => "",
    consoleSize: async () => 0,
    keep() {},
    async [Symbol.asyncDispose]() {},
  });
}

function volume(name: string): Volume {
  const bytes = 10 * 1024 ** 3;
  const path = `${folder}/${name}`;
  return { name, path, capacity: bytes, allocation: 0, bytes, backing: undefined, modified: undefined };
}
