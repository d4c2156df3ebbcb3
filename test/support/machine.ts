import { randomUUID } from "node:crypto";

import type { Machine } from "../../src/provisioner/libvirt/driver.ts";

/** A machine to be, of this process; `changes` say what a test is about. */
export function someMachine(changes: Partial<Machine> = {}): Machine {
  const uuid = changes.uuid ?? randomUUID();
  return {
    name: `provision-test-${uuid.slice(0, 8)}`,
    uuid,
    cpus: 2,
    memoryMiB: 512,
    disks: [{ path: "/images/disk.qcow2", format: "qcow2" }],
    seed: undefined,
    cards: [{ network: "default", mac: "52:54:00:00:00:01" }],
    console: "/images/console.log",
    mark: { role: "builder", run: "run-1", pid: process.pid, files: ["/images/disk.qcow2"] },
    ...changes,
  };
}
