import { ProvisionError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { openSshHost } from "../host/ssh-host.ts";
import { waitForSsh } from "../host/wait-for-ssh.ts";
import { freshToken } from "../host/worker-options.ts";
import type { Guest } from "../libvirt/driver.ts";
import type { BootPatience } from "../libvirt/guest-boot.ts";
import type { Deployment } from "./deployment.ts";
import type { HostLine } from "./host-line.ts";

/** A host that is up, or on its way up. */
export interface Reaching {
  readonly deployment: Pick<Deployment, "spec" | "line" | "owner">;
  readonly guest: Guest;
  readonly hostKey: string;
  /** Who logs in, where it is not who the host's file says by now. */
  readonly user?: string | undefined;
  readonly patience: BootPatience;
  readonly run: Run;
}

/** Logs in to a host as soon as it lets us, at whichever of its addresses, and holds its lock. */
export async function reachHost(reaching: Reaching): Promise<Host> {
  const { deployment, guest, hostKey, patience, run } = reaching;
  const { spec, line, owner } = deployment;
  const { user = line.user } = reaching;
  let asked = 0;
  let printed = -1;
  // Where the host should be is knocked at first; where it still may be, once it did not answer there.
  const askAddresses = async () =>
    asked++ === 0 && line.addresses.length > 0 ? line.addresses : allAddresses(guest, line);
  return openSshHost({
    name: `${user}@${spec.name}`,
    run: freshToken(),
    signal: run.signal,
    lock: { owner, waitMs: 0 },
    connect: () =>
      waitForSsh({
        name: spec.name,
        addresses: () => askAddresses(),
        targetAt: (address) => line.targetAt(address, hostKey, user),
        progress: async () => {
          await mustLive(guest);
          const before = printed;
          printed = await guest.consoleSize();
          if (printed === before) await mustNotHavePanicked(guest);
          return printed;
        },
        quietMs: patience.quietMs,
        deadlineMs: patience.longestMs,
        consoleTail: () => guest.consoleTail(40),
        signal: run.signal,
      }),
  });
}

/** Those its own file gives it, and those the hypervisor knows. */
export async function allAddresses(
  guest: Pick<Guest, "addresses">,
  line: Pick<HostLine, "addresses">,
): Promise<readonly string[]> {
  const known = (await guest.addresses()).map(({ address }) => address);
  return [...new Set([...line.addresses, ...known])];
}

/** A guest that is dead is not waited for. */
async function mustLive(guest: Guest): Promise<void> {
  const reason = await guest.trouble();
  if (reason === undefined) return;
  throw new ProvisionError("GUEST_DIED", { guest: guest.name, reason, console: await guest.consoleTail(40) });
}

/** A kernel that panicked without telling its hypervisor prints nothing more, and would be waited for in vain. */
async function mustNotHavePanicked(guest: Guest): Promise<void> {
  const console = await guest.consoleTail(40);
  if (!/---\[ end Kernel panic - not syncing/.test(console)) return;
  throw new ProvisionError("GUEST_DIED", {
    guest: guest.name,
    reason: "has a kernel that panicked",
    console,
  });
}
