import { ProvisionError } from "../../core/errors.ts";
import { hostNames } from "../../spec/find-hosts.ts";
import type { LoadedHost } from "../../spec/host-spec.ts";
import { specInvalid } from "../../spec/image-spec.ts";
import { nearestName } from "../../spec/nearest-name.ts";
import { readHosts } from "../check-hosts.ts";
import { hypervisorUri } from "../open-hypervisor.ts";
import { findProject } from "../project.ts";
import type { Shell } from "../shell.ts";
import { limitHosts } from "./labels.ts";

/** Flags that say which hosts are meant. */
export interface HostFlags {
  readonly all?: boolean;
  /** Each `label=value` or `label!=value`; a host fits all of them. */
  readonly limit?: readonly string[];
  readonly connect?: string;
}

/** A host that is meant. */
export interface MeantHost {
  readonly name: string;
  /** libvirt's URI of its hypervisor. */
  readonly uri: string;
  /** What its file says; `undefined`: it has none. */
  readonly loaded: LoadedHost | undefined;
  /** By its name, and not only by --all or --limit. */
  readonly isNamed: boolean;
}

/** What names and flags mean, as far as the files of hosts can tell. */
export interface ChosenHosts {
  /** In the order they were named, each once. */
  readonly hosts: readonly (MeantHost & { readonly loaded: LoadedHost })[];
  /** Names that no file has. */
  readonly unknown: readonly string[];
}

/** Reads the files of the hosts that are meant: those named, or with --all or --limit those of hosts/. */
export async function chooseHosts(
  names: readonly string[],
  flags: HostFlags,
  shell: Pick<Shell, "env" | "cwd">,
): Promise<ChosenHosts> {
  const { hostsDir } = findProject(shell);
  const known = await hostNames(hostsDir);
  checkChoice(names, flags, { known, hostsDir });
  const isFile = (name: string) => /\/|\.ya?ml$/.test(name) || known.includes(name);
  const asked = names.length === 0 ? known : names.filter(isFile);
  const { hosts, complaints } = await readHosts(asked, shell);
  if (complaints.length > 0) throw specInvalid(complaints);
  const chosen = limitHosts(hosts, flags.limit ?? []);
  if (chosen.length === 0 && asked.length > 0) throw nobody(flags.limit ?? []);
  const byName = new Map(chosen.map((loaded) => [loaded.spec.name, loaded]));
  return {
    hosts: [...byName].map(([name, loaded]) => ({
      name,
      uri: loaded.spec.hypervisor ?? hypervisorUri(shell, flags),
      loaded,
      isNamed: names.length > 0,
    })),
    unknown: [...new Set(names.filter((name) => !isFile(name)))],
  };
}

/** A name that means nothing, with what is known. */
export function unknownHost(name: string, known: readonly string[]): ProvisionError {
  const nearest = nearestName(name, known);
  const list = [...new Set(known)].toSorted().join(", ");
  return new ProvisionError("USAGE", {
    what: `Cannot find host "${name}": it must have a file in hosts/ or be deployed, is neither`,
    mend:
      nearest === undefined
        ? list === ""
          ? "Write its file: docs/hosts.md shows how"
          : `Name one of: ${list}`
        : `Name "${nearest}"`,
  });
}

function checkChoice(
  names: readonly string[],
  { all = false, limit = [] }: HostFlags,
  { known, hostsDir }: { readonly known: readonly string[]; readonly hostsDir: string },
): void {
  if (names.length > 0 && all) {
    throw new ProvisionError("USAGE", {
      what: `Cannot take --all beside names: must be one of them, is both: ${names.join(" ")}`,
      mend: "Leave out --all, or the names",
    });
  }
  if (names.length > 0) return;
  if (!all && limit.length === 0) {
    throw new ProvisionError("USAGE", {
      what: "Cannot tell which hosts are meant: must be named, or chosen by --all or --limit, are not",
      mend: known.length === 0 ? "Name a host" : `Name some of: ${known.join(", ")}; or use --all`,
    });
  }
  if (known.length > 0) return;
  throw new ProvisionError("USAGE", {
    what: `Cannot take all hosts: there must be some in ${hostsDir}, are none`,
    mend: "Write a host's file: docs/hosts.md shows how; or set PROVISION_HOME to a folder with hosts/",
  });
}

function nobody(limits: readonly string[]): ProvisionError {
  return new ProvisionError("USAGE", {
    what: `Cannot find a host for ${limits.map((limit) => `--limit ${limit}`).join(" ")}: one at least must fit, none does`,
    mend: "Correct the limit, or the labels in the hosts' files",
  });
}
