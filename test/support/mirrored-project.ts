import type { Run } from "../../src/provisioner/core/run.ts";
import { treePackages } from "./rootless-tree.ts";
import { gatewayOf, openShippedProject, type ShippedProject } from "./shipped-project.ts";
import { startSystemdHost } from "./systemd-host.ts";
import { systemdRoot } from "./systemd-root.ts";

/** A shipped project for guests of libvirt's network, whose every download works: a mirror of ours has it. */
export interface MirroredProject extends ShippedProject {
  /** A root with the programs of containers. */
  readonly containers: string;
}

/** Opens one; what it is made of lies in the cache. Root's. */
export async function openMirroredProject(cacheDir: string, run: Run): Promise<MirroredProject> {
  await using builder = await startSystemdHost(await systemdRoot(cacheDir));
  const containers = await systemdRoot(cacheDir, {
    suite: "trixie",
    packages: treePackages,
    // Root's own, which each user's takes the place of.
    hooks: ['ln -s /dev/null "$1/etc/systemd/system/containerd.service"'],
  });
  // Guests find this machine by the address of their network's gateway.
  const seenAt = await gatewayOf("default", run);
  const opened = await openShippedProject({ builder, containers, address: "0.0.0.0", seenAt });
  return { ...opened, containers };
}
