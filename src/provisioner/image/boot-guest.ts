import { randomBytes, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { openSshHost } from "../host/ssh-host.ts";
import { ownTarget } from "../host/ssh-target.ts";
import { waitForSsh } from "../host/wait-for-ssh.ts";
import { isAcceleratorFailure } from "../libvirt/accelerator.ts";
import type { Driver, Guest, Mark } from "../libvirt/driver.ts";
import { bootPatience, waitForBoot } from "../libvirt/guest-boot.ts";
import { makeKeyPair, type KeyPair } from "../libvirt/host-keys.ts";
import { builderSeed, makeSeed, type Seed } from "../libvirt/seed.ts";
import { waitForCloudInit } from "./wait-for-cloud-init.ts";

/** A throw-away guest to be. */
export interface GuestPlan {
  readonly driver: Driver;
  readonly role: Mark["role"];
  /** libvirt's network. */
  readonly network: string;
  /** Where its seed, key and console go; readable for the hypervisor along the whole path. */
  readonly folder: string;
  readonly disk: string;
  readonly machine: { readonly cpus: number; readonly memoryMiB: number };
  readonly user: string;
  readonly hostName: string;
  /** For a guest that outlives this run: the file by which it is found again, and what else goes with it. */
  readonly kept?: { readonly record: string; readonly files: readonly string[] };
  /** Leave it up when it never lets us in, so that somebody can look into it. */
  readonly keepOnError?: boolean;
  readonly run: Run;
}

/** A guest that is up: logged in with a key of its own, its host key checked from the first byte on. */
export interface BootedGuest extends AsyncDisposable {
  readonly guest: Guest;
  readonly host: Host;
  readonly user: string;
  /** Type and blob. */
  readonly hostKey: string;
  /** The key that logs in, as it stands in authorized_keys. */
  readonly loginKey: string;
  /** The serial console's file. */
  readonly console: string;
  readonly address: string;
  /** Of its network card. */
  readonly mac: string;
  /** The private key that logs in. */
  readonly keyFile: string;
  /** For people: how to get in by hand. */
  readonly sshLine: string;
}

/**
 * Boots a throw-away guest under a fresh identity and waits until cloud-init is through. Where KVM stops it, it boots
 * once more, without; not one that is to be kept, whose disk goes with it.
 */
export async function bootGuest(plan: GuestPlan): Promise<BootedGuest> {
  try {
    return await bootOnce(plan);
  } catch (error) {
    if (plan.kept !== undefined || !(await plan.driver.fallsBack(error, plan.run))) throw error;
    return bootOnce(plan);
  }
}

async function bootOnce(plan: GuestPlan): Promise<BootedGuest> {
  const { driver, folder, run, user } = plan;
  const [hostKey, login] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  const id = randomBytes(4).toString("hex");
  const seed = join(folder, `seed-${id}.img`);
  const console = join(folder, `console-${id}.log`);
  const keyFile = join(folder, `key-${id}`);
  const mac = freshMac();
  await writeFile(keyFile, login.privateKey, { mode: 0o600 });
  await makeSeed(seedFor(plan, { id, hostKey, login }), seed);
  const guest = await driver.boot(
    {
      name: `provision-${plan.role}-${id}`,
      uuid: randomUUID(),
      ...plan.machine,
      disks: [{ path: plan.disk, format: "qcow2", cache: "unsafe" }],
      seed,
      cards: [{ network: plan.network, mac }],
      console,
      mark: {
        role: plan.role,
        run: id,
        pid: process.pid,
        files: [seed, console, keyFile, ...(plan.kept?.files ?? [])],
        ...(plan.kept && { kept: plan.kept.record }),
      },
    },
    run,
  );
  let host: Host | undefined;
  try {
    const patience = bootPatience[guest.accelerator];
    await waitForBoot(guest, run, patience);
    run.progress("waiting for SSH");
    host = await openSshHost({
      name: `${user}@${guest.name}`,
      run: id,
      signal: run.signal,
      connect: () =>
        waitForSsh({
          name: guest.name,
          addresses: async () => (await guest.addresses()).map(({ address }) => address),
          targetAt: (address) =>
            ownTarget({ host: address, user, hostKey: hostKey.publicKey, privateKey: login.privateKey }),
          progress: () => guest.consoleSize(),
          quietMs: patience.quietMs,
          deadlineMs: patience.longestMs,
          consoleTail: () => guest.consoleTail(40),
          signal: run.signal,
        }),
    });
    await waitForCloudInit(host, run);
    const [address] = await guest.addresses();
    return booted({
      guest,
      host,
      user,
      hostKey: hostKey.publicKey,
      loginKey: login.publicKey,
      console,
      address: address?.address ?? "",
      mac,
      keyFile,
    });
  } catch (error) {
    // Nobody learns anything from a guest that its accelerator stopped, and the next one needs its disk.
    if (plan.keepOnError && !run.signal.aborted && !isAcceleratorFailure(error)) {
      guest.keep();
      run.note(`${guest.name} stays up as asked; its console is in ${console}`, "warning");
    }
    await close(guest, host);
    throw error;
  }
}

function booted(parts: Omit<BootedGuest, "sshLine" | typeof Symbol.asyncDispose>): BootedGuest {
  const { address, keyFile, user } = parts;
  return {
    ...parts,
    sshLine: sshLineOf({ address, keyFile, user }),
    [Symbol.asyncDispose]: () => close(parts.guest, parts.host),
  };
}

/** For people: how to get into a throw-away guest by hand. */
export function sshLineOf({
  address,
  keyFile,
  user,
}: Pick<BootedGuest, "address" | "keyFile" | "user">): string {
  return `ssh -i ${keyFile} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no ${user}@${address}`;
}

/** A connection that does not end well is no reason to leave the guest. */
async function close(guest: Guest, host: Host | undefined): Promise<void> {
  await using _guest = guest;
  await host?.[Symbol.asyncDispose]();
}

function seedFor(
  { user, hostName }: GuestPlan,
  made: { id: string; hostKey: KeyPair; login: KeyPair },
): Seed {
  const { id, hostKey, login } = made;
  const seed = builderSeed({ instanceId: `provision-${id}`, hostKey, user, authorizedKey: login.publicKey });
  return {
    metaData: { ...seed.metaData, "local-hostname": hostName },
    userData: { ...seed.userData, hostname: hostName },
  };
}

/** In the range QEMU's guests use; a fresh one, since libvirt's leases outlive guests. */
function freshMac(): string {
  return ["52", "54", "00", ...[...randomBytes(3)].map((byte) => byte.toString(16).padStart(2, "0"))].join(
    ":",
  );
}
