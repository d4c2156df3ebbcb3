import { ProvisionError } from "../../core/errors.ts";
import type { HostDriver } from "../../deploy/deployed-host.ts";
import { lookAtHosts, type SeenHost, type SeenHypervisor } from "../../deploy/look-at-hosts.ts";
import { newerImage, type Published } from "../../deploy/newer-image.ts";
import type { LoadedHost } from "../../spec/host-spec.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** A host as `vms` lists it; what has no machine has no more than a name and a state. */
export interface ListedHost extends Partial<Omit<SeenHost, "state">> {
  readonly name: string;
  readonly hypervisor: string;
  readonly state: SeenHost["state"] | "not deployed" | "name taken" | "unknown";
  /** A newer version of its image that is published here. */
  readonly newer?: string;
}

/** What could be seen, and which hypervisors could not be asked. */
export interface HostList {
  readonly hosts: readonly ListedHost[];
  readonly unreachable: readonly { readonly hypervisor: string; readonly error: ProvisionError }[];
}

/** What there is to look at. */
export interface ListOrder {
  readonly files: readonly Pick<LoadedHost, "spec">[];
  /** The hypervisor of hosts whose files name none. */
  readonly usual: string;
  /** Nobody needs the usual one: it is passed over where it is not there. */
  readonly isOptional: boolean;
  readonly hypervisors: Hypervisors<Pick<HostDriver, "hosts">>;
  readonly images: readonly Published[];
  readonly now: () => number;
}

/** Looks at every hypervisor at once; one that cannot be reached holds nobody up. */
export async function listHosts(order: ListOrder): Promise<HostList> {
  const { files, usual } = order;
  const wanted = files.map(({ spec }) => ({ spec, uri: spec.hypervisor ?? usual }));
  const uris = [...new Set([usual, ...wanted.map(({ uri }) => uri)])];
  const looks = await Promise.all(uris.map((uri) => look(uri, order)));
  const hosts = looks.flatMap(({ uri, seen }) => {
    const own = wanted.filter((each) => each.uri === uri).map(({ spec }) => spec);
    return seen === undefined
      ? own.map(({ name }): ListedHost => ({ name, hypervisor: uri, state: "unknown" }))
      : listed(uri, seen, { own, images: order.images });
  });
  return {
    hosts: hosts.toSorted(
      (one, other) => one.name.localeCompare(other.name) || one.hypervisor.localeCompare(other.hypervisor),
    ),
    unreachable: looks.flatMap(({ uri, error }) => (error === undefined ? [] : [{ hypervisor: uri, error }])),
  };
}

interface Look {
  readonly uri: string;
  readonly seen?: SeenHypervisor;
  readonly error?: ProvisionError;
}

async function look(uri: string, order: ListOrder): Promise<Look> {
  try {
    return { uri, seen: await lookAtHosts(await order.hypervisors.at(uri), order.now) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    const isAbsent = error.code === "LIBVIRT_DOWN" || error.code === "LIBVIRT_MISSING";
    if (uri === order.usual && order.isOptional && isAbsent) return { uri };
    return { uri, error };
  }
}

function listed(
  uri: string,
  { hosts, foreign }: SeenHypervisor,
  { own, images }: { readonly own: readonly LoadedHost["spec"][]; readonly images: readonly Published[] },
): readonly ListedHost[] {
  const missing = own.filter(({ name }) => !hosts.some((host) => host.name === name));
  return [
    ...hosts.map((host): ListedHost => {
      const newer = newerImage(host, images);
      return { ...host, hypervisor: uri, ...(newer !== undefined && { newer }) };
    }),
    ...missing.map(({ name }): ListedHost => ({
      name,
      hypervisor: uri,
      state: foreign.includes(name) ? "name taken" : "not deployed",
    })),
  ];
}
