import { access } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import { identitiesOf } from "../host/ssh-keys.ts";
import { readTarget, type SshTarget } from "../host/ssh-target.ts";
import type { Controller } from "../host/ssh-tokens.ts";
import type { HostSpec } from "../spec/host-spec.ts";

/** How a host is logged in to. */
export interface HostLine {
  readonly user: string;
  /** Where the host may be by its own file: the addresses that are its alone. */
  readonly addresses: readonly string[];
  /** As `user`, or as another whom the host still knows. */
  targetAt(address: string, hostKey: string, user?: string): SshTarget;
}

/** What of a host's spec says how it is reached. */
export type Reachable = Pick<HostSpec, "name" | "users" | "networks" | "hypervisor">;

/**
 * The line to a host as the first of its users who may do everything, by the keys its file names, ssh_config's and the
 * agent's. A host on a private network of another machine is reached through that machine.
 */
export async function hostLine(
  spec: Reachable,
  controller: Controller,
  identity?: string,
): Promise<HostLine> {
  const user = spec.users.find(({ sudo }) => sudo)?.name ?? controller.user;
  const named = await readTarget(`${user}@${spec.name}`, controller);
  const keys = spec.users.filter(({ name }) => name === user).flatMap((own) => own.keys);
  const files = keys.flatMap((key) => (key.kind === "file" ? [key.path] : []));
  const ownFiles = await Promise.all(files.map((file) => privateHalf(file, controller.home)));
  const identityFiles = identity === undefined ? [...ownFiles, ...named.identityFiles] : [identity];
  const jumps = named.jumps.length > 0 ? named.jumps : await jumpsTo(spec, controller);
  return {
    user,
    addresses: spec.networks.flatMap((card) =>
      card.addresses.map((address) => address.replace(/\/\d+$/, "")),
    ),
    targetAt: (address, hostKey, as = user) => ({
      ...named,
      user: as,
      host: address,
      port: 22,
      knownAs: spec.name,
      hostKey,
      identityFiles: [...new Set(identityFiles)],
      identitiesOnly: identity !== undefined || named.identitiesOnly,
      jumps,
    }),
  };
}

/** Throws USAGE when none of the keys that the host will know can be used from here: nobody could set it up. */
export async function checkLogin(
  line: HostLine,
  spec: Pick<HostSpec, "name">,
  authorizedKeys: readonly string[],
): Promise<void> {
  const identities = await identitiesOf(line.targetAt(spec.name, "ssh-ed25519 AAAA"));
  const known = new Set(authorizedKeys.map((key) => key.split(" ")[1]));
  if (identities.usable.some(({ publicKey }) => known.has(publicKey))) return;
  throw new ProvisionError("USAGE", {
    what: `Cannot set up ${spec.name} as "${line.user}": one of the keys of that user must be at hand here, none is`,
    mend: "Load it into the agent (`ssh-add`), name its file with --identity, or put a key of yours into the host's `keys`",
  });
}

/** Where only the public half is, the agent may hold the other: the file then names it. */
async function privateHalf(path: string, home: string): Promise<string> {
  const file = path.replace(/^~(?=\/)/, home);
  const half = file.replace(/\.pub$/, "");
  return access(half).then(
    () => half,
    () => file,
  );
}

/** The hypervisor, where libvirt reaches it by ssh and the host has no card on a bridge of the outside. */
async function jumpsTo(
  { hypervisor, networks }: Reachable,
  controller: Controller,
): Promise<readonly SshTarget[]> {
  const uri = hypervisor === undefined || !URL.canParse(hypervisor) ? undefined : new URL(hypervisor);
  if (uri === undefined || !/\+(ssh|libssh2?):$/.test(uri.protocol) || uri.hostname === "") return [];
  if (networks.some(({ joins }) => joins.kind === "bridge")) return [];
  const user = uri.username === "" ? "" : `${decodeURIComponent(uri.username)}@`;
  const jump = await readTarget(`${user}${uri.hostname}${uri.port === "" ? "" : `:${uri.port}`}`, controller);
  const keyFile = uri.searchParams.get("keyfile");
  const knownHosts = uri.searchParams.get("known_hosts");
  return [
    ...jump.jumps,
    {
      ...jump,
      jumps: [],
      ...(keyFile !== null && { identityFiles: [keyFile, ...jump.identityFiles] }),
      ...(knownHosts !== null && { knownHosts: [knownHosts] }),
    },
  ];
}
