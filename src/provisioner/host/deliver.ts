import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Order } from "../core/host.ts";
import { payloadOf } from "./orders/compile-order.ts";
import { quote } from "./quote.ts";
import { freshToken } from "./worker-options.ts";

/** Bigger files do not go through /run, which is memory. */
const bigBytes = 16 * 1024 * 1024;

/** Where files go before a flight. */
export interface Delivery {
  /** The worker's directory for them, that whoever logged in may write to. */
  readonly drop: string;
  /** Makes such a directory on a disk, for big ones. */
  readonly roomy: (path: string) => Promise<void>;
  readonly upload: (localPath: string, remotePath: string, signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What lies on the far side for a flight. Disposing removes what was needed for that on this side. */
export interface Delivered extends AsyncDisposable {
  /** Path on the far side by order id. */
  readonly paths: ReadonlyMap<string, string>;
  /** Shell text that removes it on the far side. */
  readonly cleanUp: string;
}

/** Sends the content of orders that is too long for a frame. */
export async function deliver(orders: readonly Order[], to: Delivery): Promise<Delivered> {
  const paths = new Map<string, string>();
  const rubbish: string[] = [];
  let scratch: string | undefined;
  const clean = async () => {
    if (scratch) await rm(scratch, { recursive: true, force: true });
  };
  try {
    for (const { id, action } of orders) {
      const payload = payloadOf(action);
      if (!payload) continue;
      let local = payload.kind === "file" ? payload.path : "";
      if (payload.kind === "text") {
        scratch ??= await mkdtemp(join(tmpdir(), "provision-"));
        local = join(scratch, String(paths.size));
        await writeFile(local, payload.text, { mode: 0o600 });
      }
      let place = to.drop;
      if (payload.kind === "file" && payload.size > bigBytes) {
        place = `/var/tmp/provision.${freshToken()}`;
        await to.roomy(place);
        rubbish.push(place);
      }
      const remote = `${place}/${freshToken()}`;
      rubbish.push(remote);
      await to.upload(local, remote, to.signal);
      paths.set(id, remote);
    }
  } catch (error) {
    await clean();
    throw error;
  }
  const cleanUp = rubbish.length > 0 ? `rm -rf ${quote(rubbish)}\n` : "";
  return { paths, cleanUp, [Symbol.asyncDispose]: clean };
}
