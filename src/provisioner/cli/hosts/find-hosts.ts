import { ProvisionError } from "../../core/errors.ts";
import { type HostDriver, isDeployed } from "../../deploy/deployed-host.ts";
import { hostNames } from "../../spec/find-hosts.ts";
import type { LoadedHost } from "../../spec/host-spec.ts";
import { type CheckedHosts, readHosts } from "../check-hosts.ts";
import { hypervisorUri } from "../open-hypervisor.ts";
import { findProject } from "../project.ts";
import type { Shell } from "../shell.ts";
import { chooseHosts, type HostFlags, type MeantHost, unknownHost } from "./choose-hosts.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** Where a domain of a name is. */
interface Place {
  readonly uri: string;
  readonly isHost: boolean;
}

/**
 * The hosts that are meant: by their files, and of names that no file has those that are deployed on a hypervisor that
 * is known here. A name that means nothing is an error that names the nearest.
 */
export async function findHosts(
  names: readonly string[],
  flags: HostFlags,
  shell: Pick<Shell, "env" | "cwd">,
  hypervisors: Hypervisors<Pick<HostDriver, "hosts">>,
): Promise<readonly MeantHost[]> {
  const { hosts, unknown } = await chooseHosts(names, flags, shell);
  if (unknown.length === 0) return hosts;
  const { uris, known } = await knownPlaces(flags, shell);
  const seen = await domainsOf(uris, hypervisors);
  const found = unknown.map((name): MeantHost => {
    const uri = placeOf(name, seen, known);
    return { name, uri, loaded: undefined, isNamed: true };
  });
  const order = (host: MeantHost) => names.indexOf(host.name);
  return [...hosts, ...found].toSorted((one, other) => order(one) - order(other));
}

/** Every hypervisor that is worth asking, and the names that files have. */
async function knownPlaces(
  flags: HostFlags,
  shell: Pick<Shell, "env" | "cwd">,
): Promise<{ readonly uris: readonly string[]; readonly known: readonly string[] }> {
  const known = await hostNames(findProject(shell).hostsDir);
  if (flags.connect !== undefined) return { uris: [flags.connect], known };
  // Those of other hosts: what is wrong with their files is not for this run to tell.
  const { hosts } = await readHosts(known, shell);
  return { uris: [...new Set([hypervisorUri(shell), ...hypervisorsOf(hosts)])], known };
}

/** The hypervisors that the files of hosts name. */
export function hypervisorsOf(hosts: CheckedHosts["hosts"]): readonly string[] {
  return [...new Set(hosts.flatMap(({ spec }: LoadedHost) => spec.hypervisor ?? []))];
}

/** All that could be seen, and why one hypervisor could not. */
interface Seen {
  readonly places: ReadonlyMap<string, readonly Place[]>;
  readonly trouble: { readonly error: unknown } | undefined;
}

async function domainsOf(
  uris: readonly string[],
  hypervisors: Hypervisors<Pick<HostDriver, "hosts">>,
): Promise<Seen> {
  const places = new Map<string, Place[]>();
  let trouble: Seen["trouble"];
  const look = async (uri: string) => {
    try {
      for (const domain of await (await hypervisors.at(uri)).hosts.all()) {
        const there = places.get(domain.name) ?? [];
        places.set(domain.name, [...there, { uri, isHost: isDeployed(domain) }]);
      }
    } catch (error) {
      trouble ??= { error };
    }
  };
  await Promise.all(uris.map(look));
  return { places, trouble };
}

/** One that is nobody's host counts where there is none: what is to be done with it says that it is not ours. */
function placeOf(name: string, { places, trouble }: Seen, known: readonly string[]): string {
  const all = places.get(name) ?? [];
  const ours = all.filter(({ isHost }) => isHost);
  const [first, ...more] = ours.length > 0 ? ours : all;
  if (first === undefined) {
    // It may be just there.
    if (trouble !== undefined) throw trouble.error;
    const deployed = [...places].filter(([, there]) => there.some(({ isHost }) => isHost));
    throw unknownHost(name, [...known, ...deployed.map(([each]) => each)]);
  }
  if (more.length === 0) return first.uri;
  throw new ProvisionError("USAGE", {
    what: `Cannot tell which "${name}" is meant: must be at one hypervisor, is at ${[first, ...more].map(({ uri }) => uri).join(" and ")}`,
    mend: `Say which: --connect ${first.uri}`,
  });
}
