import type { Machine, Mark } from "../libvirt/driver.ts";
import type { HostNetwork, HostSpec } from "../spec/host-spec.ts";

/** What a host's machine is put together from, beside what its spec says. All paths are the hypervisor's. */
export interface HostParts {
  readonly uuid: string;
  readonly disk: string;
  /** Where each extra disk is, by its name. */
  readonly extraDisks: ReadonlyMap<string, string>;
  readonly seed: string;
  readonly console: string;
  readonly mark: Mark;
}

/** The machine of a host, which bears its name. */
export function hostMachine(spec: HostSpec, parts: HostParts): Machine {
  const { uuid, disk, extraDisks, seed, console, mark } = parts;
  return {
    name: spec.name,
    uuid,
    cpus: spec.cpus,
    memoryMiB: spec.memoryMiB,
    disks: [
      { path: disk, format: "qcow2" },
      ...spec.extraDisks.flatMap(({ name }) => {
        const path = extraDisks.get(name);
        return path === undefined ? [] : [{ path, format: "qcow2" as const, serial: name }];
      }),
    ],
    seed,
    cards: spec.networks.map(cardOf),
    pciDevices: spec.gpus,
    console,
    mark,
  };
}

function cardOf({ joins, mac }: HostNetwork): Machine["cards"][number] {
  return joins.kind === "bridge" ? { mac, bridge: joins.name } : { mac, network: joins.name };
}
