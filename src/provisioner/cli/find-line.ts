import { resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { hostLine, type Reachable } from "../deploy/host-line.ts";
import { rememberHost } from "../deploy/known-hosts-file.ts";
import { allAddresses } from "../deploy/reach-host.ts";
import type { SshTarget } from "../host/ssh-target.ts";
import type { FoundDomain } from "../libvirt/host-domains.ts";
import { hostNames } from "../spec/find-hosts.ts";
import { loadHost } from "./load-host.ts";
import { hypervisorUri, openHypervisor } from "./open-hypervisor.ts";
import { hostKeysFile } from "./host-keys-file.ts";
import { findProject } from "./project.ts";
import type { Shell } from "./shell.ts";

/** How a deployed host is logged in to, and where its key is written down. */
export interface FoundLine {
  readonly target: SshTarget;
  readonly knownHosts: string;
}

/** Finds a deployed host by name: by its file, where there is one, and by what its hypervisor knows. */
export async function findLine(
  name: string,
  given: {
    readonly shell: Shell;
    readonly flags: { readonly connect?: string; readonly identity?: string };
    readonly run: Run;
  },
): Promise<FoundLine> {
  const { shell, flags, run } = given;
  const { env, home, user } = shell;
  const isFile = (await hostNames(findProject(shell).hostsDir)).includes(name);
  const spec = isFile ? (await loadHost(name, shell)).spec : undefined;
  const hypervisor = spec?.hypervisor ?? hypervisorUri(shell, flags);
  await using driver = await openHypervisor(shell, { connect: hypervisor });
  const found = await driver.hosts.find(name);
  const mark = found?.mark?.host;
  if (found === undefined || mark === undefined || found.mark?.role !== "host")
    throw new ProvisionError("HOST_NOT_DEPLOYED", { host: name, uri: driver.uri, hasFile: isFile });
  const identity = flags.identity === undefined ? undefined : resolve(shell.cwd, flags.identity);
  const line = await hostLine({ ...(spec ?? asFound(found)), hypervisor }, { home, user, env }, identity);
  const [address] = await allAddresses(driver.hosts.guest(found), line);
  if (address === undefined)
    throw new ProvisionError("HOST_HAS_NO_ADDRESS", { host: name, state: found.state });
  const knownHosts = hostKeysFile(shell);
  await rememberHost(knownHosts, name, mark.hostKey, run);
  return { target: line.targetAt(address, mark.hostKey), knownHosts };
}

/** A host whose file is not here, by its mark: its users are in the order of their file, who may do everything unknown. */
function asFound({ name, mark, facts }: FoundDomain): Omit<Reachable, "hypervisor"> {
  const users = mark?.host?.users ?? [];
  return {
    name,
    users: users.map((user) => ({
      name: user,
      comment: undefined,
      keys: [],
      groups: [],
      sudo: true,
      shell: "",
    })),
    networks: facts.cards.map((card) => ({
      joins:
        "bridge" in card ? { kind: "bridge", name: card.bridge } : { kind: "network", name: card.network },
      mac: card.mac,
      interface: "",
      dhcp4: true,
      dhcp6: false,
      addresses: [],
      gateways: [],
      dns: { servers: [], search: [] },
    })),
  };
}
