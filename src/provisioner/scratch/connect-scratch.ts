import { readFile } from "node:fs/promises";

import type { Host } from "../core/host.ts";
import type { Run } from "../core/run.ts";
import { openSshHost } from "../host/ssh-host.ts";
import { ownTarget } from "../host/ssh-target.ts";
import { waitForSsh } from "../host/wait-for-ssh.ts";
import { freshToken } from "../host/worker-options.ts";
import type { Guest } from "../libvirt/driver.ts";
import type { ScratchRecord } from "./scratch-record.ts";

/** A restored guest answers at once, or not at all; under emulation a login alone takes some seconds. */
const DEADLINE_MS = 120_000;

/** Logs in to a guest that was restored. */
export async function connectScratch(record: ScratchRecord, guest: Guest, run: Run): Promise<Host> {
  const { name, user, hostKey, address } = record;
  const privateKey = await readFile(record.keyFile, "utf8");
  return openSshHost({
    name: `${user}@${name}`,
    run: freshToken(),
    signal: run.signal,
    connect: () =>
      waitForSsh({
        name,
        // The guest goes on where it was, with the address that it had; libvirt may have forgotten it.
        addresses: async () => [
          ...new Set([address, ...(await guest.addresses()).map((found) => found.address)]),
        ],
        targetAt: (host) => ownTarget({ host, user, hostKey, privateKey }),
        progress: () => guest.consoleSize(),
        quietMs: DEADLINE_MS,
        deadlineMs: DEADLINE_MS,
        consoleTail: () => guest.consoleTail(40),
        signal: run.signal,
      }),
  });
}
