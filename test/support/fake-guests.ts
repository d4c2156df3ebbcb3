import { parse, stringify } from "yaml";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { Host } from "../../src/provisioner/core/host.ts";
import type { Reaching } from "../../src/provisioner/deploy/reach-host.ts";
import { identitiesOf } from "../../src/provisioner/host/ssh-keys.ts";
import { emptyMachine, type FakeHost } from "./fake-host.ts";
import type { FakeLibvirt } from "./fake-libvirt.ts";

/** What a seed says, as far as these guests obey it. */
interface UserData {
  readonly hostname: string;
  readonly ssh_keys?: { readonly ed25519_private: string; readonly ed25519_public: string };
  readonly users: readonly {
    readonly name: string;
    readonly gecos?: string;
    readonly shell: string;
    readonly groups?: readonly string[];
    readonly ssh_authorized_keys?: readonly string[];
  }[];
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}

/** The system on a disk, once cloud-init made it itself. */
interface System {
  readonly os: FakeHost;
  readonly hostKey: string;
}

/** What runs on the domains of a fake hypervisor: systems whose cloud-init really reads the seed. */
export class FakeGuests {
  /** Connections that were opened, and those that are open still. */
  connections = 0;
  open = 0;
  /** Names of guests that never let anybody in. */
  readonly silent = new Set<string>();
  /** What cloud-init complains of. */
  complaints: readonly string[] = [];
  /** What private halves of host keys the seeds of first boots held. */
  readonly privateKeys: string[] = [];
  readonly #hypervisor: FakeLibvirt;
  readonly #systems = new Map<number, System>();

  constructor(hypervisor: FakeLibvirt) {
    this.#hypervisor = hypervisor;
  }

  /** The system of a host that was booted. */
  systemOf(name: string): FakeHost {
    return this.#systemOf(name).os;
  }

  /** Stands for `reachHost`. */
  readonly reach = async (reaching: Reaching): Promise<Host> => {
    const watched = this.#hypervisor.watched("", { reach: () => this.#reach(reaching) });
    return watched.reach();
  };

  async #reach({ deployment, guest, hostKey }: Reaching): Promise<Host> {
    const reason = await guest.trouble();
    const died = (why: string) =>
      new ProvisionError("GUEST_DIED", { guest: guest.name, reason: why, console: "" });
    if (reason !== undefined) throw died(reason);
    if ((await guest.state()) !== "running") throw died("is off");
    if (this.silent.has(guest.name)) {
      const facts = { host: guest.name, stage: "tcp", seconds: 300, reason: "refused", tail: "its end" };
      throw new ProvisionError("SSH_NOT_UP", facts);
    }
    const system = this.#systemOf(guest.name);
    if (system.hostKey !== hostKey) throw new Error(`${guest.name} has another host key than expected`);
    await this.#logIn(system.os, deployment);
    return this.#connect(system.os);
  }

  async #logIn({ users, files }: FakeHost, { line, spec }: Reaching["deployment"]): Promise<void> {
    const { usable } = await identitiesOf(line.targetAt(spec.name, "ssh-ed25519 AAAA"));
    const keys = files.read(`/home/${line.user}/.ssh/authorized_keys`) ?? "";
    if (users.has(line.user) && usable.some(({ publicKey }) => keys.includes(publicKey))) return;
    throw new Error(`${spec.name} does not let ${line.user} in`);
  }

  #connect(os: FakeHost): Host {
    this.connections += 1;
    this.open += 1;
    const watched = this.#hypervisor.watched("", { fly: os.fly.bind(os) });
    return {
      name: "alice@web",
      fly: watched.fly,
      reconnect: () => os.reconnect(),
      [Symbol.asyncDispose]: async () => {
        this.open -= 1;
      },
    };
  }

  #systemOf(name: string): System {
    const machine = this.#hypervisor.domains.get(name)?.machine;
    const { all } = this.#hypervisor.disks;
    const disk = all.get(machine?.disks[0]?.path ?? "");
    const seed = all.get(machine?.seed ?? "");
    if (disk === undefined || seed === undefined) throw new Error(`${name} has no disk or no seed`);
    const there = this.#systems.get(disk.serial);
    if (there !== undefined) return there;
    const made = this.#firstBoot(readUserData(seed.content));
    const network = parse(textIn(seed.content, '"version": 2\n')) as unknown;
    made.os.files.directory("/etc/netplan");
    made.os.files.write("/etc/netplan/50-cloud-init.yaml", stringify({ network }), { mode: "0600" });
    this.#systems.set(disk.serial, made);
    return made;
  }

  #firstBoot({ hostname, ssh_keys: hostKey, users, write_files: texts }: UserData): System {
    const os = emptyMachine();
    for (const path of ["/etc/sudoers.d", "/run/cloud-init"]) os.files.directory(path);
    os.files.write("/etc/hostname", `${hostname}\n`);
    for (const { path, content } of texts) os.files.write(path, content, { mode: "0440" });
    for (const [
      index,
      { name, gecos = "", shell, groups = [], ssh_authorized_keys: keys },
    ] of users.entries()) {
      const uid = 1001 + index;
      const own = { owner: name, group: name };
      os.groups.set(name, { gid: uid, members: [] });
      os.users.set(name, {
        uid,
        group: name,
        comment: gecos,
        home: `/home/${name}`,
        shell,
        groups: groups.toSorted(),
        isLocked: true,
      });
      os.files.directory(`/home/${name}`, own);
      os.files.directory(`/home/${name}/.ssh`, { ...own, mode: "0700" });
      const lines = (keys ?? []).map((line) => `${line}\n`).join("");
      os.files.write(`/home/${name}/.ssh/authorized_keys`, lines, { ...own, mode: "0600" });
    }
    os.files.write("/run/cloud-init/result.json", JSON.stringify({ v1: { errors: this.complaints } }));
    os.program("tail", () => ({ stdout: "the log's end" }));
    this.privateKeys.push(hostKey?.ed25519_private ?? "none");
    return { os, hostKey: hostKey?.ed25519_public ?? "none" };
  }
}

function readUserData(seed: Buffer): UserData {
  return parse(textIn(seed, "#cloud-config\n"), { version: "1.1" }) as UserData;
}

/** The file of a seed disk that begins so: each lies on it in one piece. */
function textIn(seed: Buffer, beginning: string): string {
  const start = seed.indexOf(beginning);
  if (start === -1) throw new Error(`The seed has no file that begins with ${beginning}`);
  return seed.subarray(start, seed.indexOf(0, start)).toString("utf8");
}
