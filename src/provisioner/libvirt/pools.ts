import { XMLParser } from "fast-xml-parser";

import { ProvisionError } from "../core/errors.ts";
import type { Pointer } from "./binding.ts";
import type { Connection, Session } from "./connection.ts";
import { unless } from "./domains.ts";
import { virtCodes } from "./virt-error.ts";

/** libvirt's storage pools, as places for the disks of hosts. */
export interface Pools {
  /**
   * Starts a pool, and gives its folder on the hypervisor. libvirt's usual one, `default`, is made where it is missing;
   * any other throws POOL_MISSING.
   */
  open(name: string): Promise<string>;
}

const running = 2;
const usual = "default";

export function poolsOf(connection: Connection): Pools {
  return {
    open: (name) =>
      connection.use(async (on) => {
        const pool =
          (await find(on, name)) ?? (name === usual ? await makeUsual(on, connection.uri) : undefined);
        if (pool === undefined) throw new ProvisionError("POOL_MISSING", { pool: name, uri: connection.uri });
        const info: Record<string, unknown> = {};
        await on.call("virStoragePoolGetInfo", pool, info);
        // Somebody else may start it in between.
        if (info["state"] !== running)
          await unless(virtCodes.operationInvalid, () => on.call("virStoragePoolCreate", pool, 0));
        const folder = folderOf(await on.call("virStoragePoolGetXMLDesc", pool, 0));
        if (folder === undefined) throw new ProvisionError("POOL_UNFIT", { pool: name, uri: connection.uri });
        return folder;
      }),
  };
}

async function find(on: Session, name: string): Promise<Pointer | undefined> {
  const pool = await unless(virtCodes.noStoragePool, () =>
    on.call("virStoragePoolLookupByName", on.connection, name),
  );
  return pool === undefined ? undefined : on.take("virStoragePoolFree", pool);
}

/** As virt-install and virt-manager make it. */
async function makeUsual(on: Session, uri: string): Promise<Pointer | undefined> {
  const folder = uri.includes("/session") ? sessionFolder() : "/var/lib/libvirt/images";
  const xml = `<pool type='dir'><name>${usual}</name><target><path>${folder}</path></target></pool>`;
  const made = await unless(virtCodes.operationFailed, () =>
    on.call("virStoragePoolDefineXML", on.connection, xml, 0),
  );
  // Somebody else has made it in between.
  if (made === undefined) return find(on, usual);
  const pool = on.take("virStoragePoolFree", made);
  await on.call("virStoragePoolBuild", pool, 0);
  await on.call("virStoragePoolSetAutostart", pool, 1);
  return pool;
}

function sessionFolder(): string {
  const { HOME = "/", XDG_DATA_HOME } = process.env;
  return `${XDG_DATA_HOME || `${HOME}/.local/share`}/libvirt/images`;
}

/** Only a pool of files has one: disks are named by path. */
function folderOf(xml: string): string | undefined {
  const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false, htmlEntities: true });
  const { pool } = parser.parse(xml) as {
    readonly pool?: { readonly "@_type"?: string; readonly target?: { readonly path?: string } };
  };
  return ["dir", "fs", "netfs"].includes(pool?.["@_type"] ?? "") ? pool?.target?.path : undefined;
}
