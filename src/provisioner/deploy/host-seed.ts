import { createHash } from "node:crypto";

import { networkConfig } from "../core/network-card.ts";
import { stateGrow } from "../core/read-only-root.ts";
import { stateLayout } from "../core/state-layout.ts";
import type { KeyPair } from "../libvirt/host-keys.ts";
import type { Seed } from "../libvirt/seed.ts";
import type { HostSpec, HostUser } from "../spec/host-spec.ts";

/**
 * At each boot: a sealed image does it by itself before, one whose root stays writable and those of others do not. What
 * is on another's image grows as its own cloud-init has it.
 */
const growState = `if [ -x ${stateGrow} ]; then ${stateGrow} && /usr/lib/systemd/systemd-growfs ${stateLayout.mountPoint}; fi`;

/** Where the right to do everything is written; not in cloud-init's own file, whose text has a time in it. */
export const sudoersFile = "/etc/sudoers.d/50-provision";

/** What a host proves by that it is itself, and who may come in. */
export interface HostIdentity {
  readonly hostKey: KeyPair;
  /** Lines of authorized_keys, by user. */
  readonly authorizedKeys: ReadonlyMap<string, readonly string[]>;
}

/** What cloud-init makes of an image to be this host. */
export function hostSeed(spec: HostSpec, { hostKey, authorizedKeys }: HostIdentity): Seed {
  return {
    metaData: { "instance-id": instanceId(spec, hostKey), "local-hostname": spec.name },
    userData: {
      hostname: spec.name,
      ...(spec.fqdn !== undefined && { fqdn: spec.fqdn }),
      // Without it /etc/hosts does not know the machine's own name, and sudo waits for DNS.
      manage_etc_hosts: "localhost",
      ...(spec.timezone !== undefined && { timezone: spec.timezone }),
      ssh_deletekeys: true,
      // With a key given, cloud-init makes no others.
      ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
      // Without `default` in the list the distribution's own user does not appear.
      users: spec.users.map((user) => userOf(user, authorizedKeys.get(user.name) ?? [])),
      bootcmd: [["sh", "-c", growState]],
      write_files: [
        {
          path: sudoersFile,
          content: sudoRules(spec.users),
          permissions: "0440",
          owner: "root:root",
        },
      ],
      ssh_pwauth: false,
      disable_root: true,
      package_update: false,
    },
    networkConfig: networkConfig(spec.networks),
  };
}

/** The same seed without what only the first boot needs: the private host key, which is the host's alone by then. */
export function withoutSecrets(seed: Seed): Seed {
  const { ssh_keys: _keys, ...userData } = seed.userData;
  return { ...seed, userData };
}

/** The rules of sudo for those who may do everything. Nobody has a password that could be asked for. */
export function sudoRules(users: readonly Pick<HostUser, "name" | "sudo">[]): string {
  const rules = users.filter(({ sudo }) => sudo).map(({ name }) => `${name} ALL=(ALL:ALL) NOPASSWD:ALL\n`);
  return ["# Made by provision from the host's file\n", ...rules].join("");
}

/**
 * The same for as long as the host is the same: its name and its host key. With another one cloud-init would make
 * everything anew.
 */
function instanceId({ name, fqdn }: HostSpec, { publicKey }: KeyPair): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([name, fqdn ?? "", publicKey]))
    .digest("hex");
  return `${name}-${digest.slice(0, 16)}`;
}

function userOf(user: HostUser, authorizedKeys: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    name: user.name,
    ...(user.comment !== undefined && { gecos: user.comment }),
    shell: user.shell,
    lock_passwd: true,
    ...(user.groups.length > 0 && { groups: user.groups }),
    // cloud-init's schema refuses an empty list.
    ...(authorizedKeys.length > 0 && { ssh_authorized_keys: authorizedKeys }),
  };
}
