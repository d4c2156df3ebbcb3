import type { HostDriver } from "../../deploy/deployed-host.ts";
import { findUnfinished, removeUnfinished } from "../../deploy/unfinished-hosts.ts";
import { findUnusedImages, removeImage } from "../../deploy/unused-images.ts";
import type { ProcessIdentity } from "../../local/process-identity.ts";
import type { Hypervisors } from "./hypervisors.ts";

/** What a deploy left that died, or brought and nobody needs any more. */
interface HostGarbage {
  readonly kind: "host" | "image";
  readonly name: string;
  readonly hypervisor: string;
  readonly files: readonly string[];
  /** Disks that somebody may have written to: they stay. */
  readonly kept?: readonly string[];
}

/** What was found on all hypervisors, and what could not be looked at or removed. */
export interface CollectedHosts {
  readonly found: readonly HostGarbage[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
}

/** Where to look, and how. */
export interface CollectOrder {
  readonly uris: readonly string[];
  readonly hypervisors: Hypervisors<HostDriver>;
  readonly check: boolean;
  /** Milliseconds since 1970. */
  readonly wallClock: number;
  readonly isAlive?: (owner: ProcessIdentity) => Promise<boolean>;
}

/** Removes, or with `check` only finds, hosts that were never done and images that no disk stands on. */
export async function collectHosts(order: CollectOrder): Promise<CollectedHosts> {
  const found: HostGarbage[] = [];
  const failed: { name: string; error: unknown }[] = [];
  await Promise.all(
    order.uris.map((uri) =>
      orFail(uri, async () => {
        const driver = await order.hypervisors.at(uri);
        await dropHosts(uri, driver);
        await dropImages(uri, driver);
      }),
    ),
  );
  return { found, failed };

  async function dropHosts(hypervisor: string, driver: HostDriver): Promise<void> {
    for (const unfinished of await findUnfinished(driver, order.isAlive)) {
      const { host, files, kept } = unfinished;
      await orFail(host.name, async () => {
        if (!order.check) await removeUnfinished(driver, unfinished);
        found.push({ kind: "host", name: host.name, hypervisor, files, kept });
      });
    }
  }

  async function dropImages(hypervisor: string, driver: HostDriver): Promise<void> {
    for (const image of await findUnusedImages(driver, order.wallClock)) {
      const [name = ""] = image.volumes;
      await orFail(name, async () => {
        if (!order.check) await removeImage(driver, image);
        found.push({ kind: "image", name, hypervisor, files: image.volumes });
      });
    }
  }

  async function orFail(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      failed.push({ name, error });
    }
  }
}
