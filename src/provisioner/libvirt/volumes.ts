import { open, rename, rm } from "node:fs/promises";

import type { Pointer } from "./binding.ts";
import type { Connection, Session } from "./connection.ts";
import { takeAll, unless } from "./domains.ts";
import { escape } from "./networks.ts";
import { receiveBytes, receiveFile, sendFile, type Transfer, withStream } from "./streams.ts";
import { virtCodes } from "./virt-error.ts";
import { readVolumeXml, volumeXml } from "./volume-xml.ts";

/** A place on the hypervisor where volumes are. Sizes in bytes. */
export interface Pool {
  readonly name: string;
  readonly active: boolean;
  readonly capacity: number;
  readonly available: number;
}

/** A disk image in a pool. Sizes in bytes. */
export interface Volume {
  readonly name: string;
  readonly path: string;
  /** As a guest sees it. */
  readonly capacity: number;
  readonly allocation: number;
  /** Length of its file. */
  readonly bytes: number;
  /** Path of the image that it stands on. */
  readonly backing: string | undefined;
  /** When it was last written to, in milliseconds since 1970, where the pool can tell. */
  readonly modified: number | undefined;
}

/** A volume to be made. */
export interface NewVolume {
  readonly name: string;
  readonly format: "qcow2" | "raw";
  readonly capacity: number;
  /** An image on the hypervisor that a qcow2 volume stands on. */
  readonly backing?: { readonly path: string; readonly format: "qcow2" | "raw" };
}

/** libvirt's storage: how disks travel to a hypervisor that is not this machine. */
export interface Volumes {
  pools(): Promise<readonly Pool[]>;
  /** Starts a pool over a folder of the hypervisor; it is forgotten when it stops. */
  startPool(name: string, folder: string): Promise<void>;
  /** Has a pool look at what others wrote into it. */
  refresh(pool: string): Promise<void>;
  /** Stops it; the volumes stay. Idempotent. */
  stopPool(name: string): Promise<void>;
  list(pool: string): Promise<readonly Volume[]>;
  find(pool: string, name: string): Promise<Volume | undefined>;
  create(pool: string, volume: NewVolume): Promise<Volume>;
  /** A copy that stands on nothing, of a volume of the same pool; its capacity may be larger. */
  copy(pool: string, from: string, volume: Omit<NewVolume, "backing">): Promise<Volume>;
  /** Makes a disk that nobody uses larger. */
  grow(pool: string, name: string, capacity: number): Promise<void>;
  /** Fills a volume with a local file, as it is: a qcow2 file makes it a qcow2 volume. */
  upload(pool: string, name: string, file: string, transfer: Transfer): Promise<void>;
  /** Copies a volume, as it is, to a local file; the file is there when all of it is. */
  download(pool: string, name: string, file: string, transfer: Transfer): Promise<void>;
  /** The last bytes of a volume, as it is by now; none when there is no such volume. */
  readEnd(pool: string, name: string, bytes: number): Promise<Buffer>;
  /** What a volume holds from a byte on, as it is by now; none when there is no such volume. */
  readFrom(pool: string, name: string, from: number): Promise<Buffer>;
  /** The length of a volume's file by now; 0 when there is no such volume. */
  length(pool: string, name: string): Promise<number>;
  /** Idempotent. */
  remove(pool: string, name: string): Promise<void>;
  /** Removes the volume that is the file of this path on the hypervisor; `false` when no pool has it. */
  removeByPath(path: string): Promise<boolean>;
}

const running = 2;
const build = 1;
/** Making a volume can write all of it. */
const createMs = 600_000;
/** The daemon reads and writes a whole disk for it. */
const copyMs = 3_600_000;

export function volumesOf(connection: Connection): Volumes {
  const withPool = <T>(name: string, work: (on: Session, pool: Pointer) => Promise<T>, over = connection) =>
    over.use(async (on) => {
      const pool = await on.call("virStoragePoolLookupByName", on.connection, name);
      return work(on, on.take("virStoragePoolFree", pool));
    });
  /** A transfer has a connection to itself: nobody waits for it. */
  const transferring = async (
    pool: string,
    name: string,
    work: (on: Session, volume: Pointer) => Promise<void>,
  ) => {
    await using own = await connection.another();
    await withPool(pool, async (on, found) => work(on, await lookup(on, found, name)), own);
  };

  /**
   * The pool does not notice by itself what others write into it. While it makes a volume it cannot look ("internal
   * error: pool has asynchronous jobs running"), for minutes where that is a copy: what it knows has to do then.
   */
  const refresh = async (on: Session, pool: Pointer) => {
    await unless(virtCodes.internal, () => on.callWithin(createMs, "virStoragePoolRefresh", pool, 0));
  };

  const length: Volumes["length"] = (pool, name) =>
    withPool(pool, async (on, found) => {
      await refresh(on, found);
      const volume = await unless(virtCodes.noStorageVolume, () => lookup(on, found, name));
      return volume === undefined ? 0 : (await facts(on, volume)).bytes;
    });

  const readFrom: Volumes["readFrom"] = async (pool, name, from) => {
    const size = await length(pool, name);
    let end: Buffer = Buffer.alloc(0);
    if (from < size) {
      await transferring(pool, name, (on, volume) =>
        withStream(on, async (stream) => {
          await on.call("virStorageVolDownload", volume, stream, BigInt(from), BigInt(size - from), 0);
          end = await receiveBytes(on, stream);
        }),
      );
    }
    return end;
  };

  return {
    refresh: (name) => withPool(name, refresh),
    pools: () =>
      connection.use(async (on) => {
        const array: [unknown] = [null];
        const count = await on.call("virConnectListAllStoragePools", on.connection, array, 0);
        const all: Pool[] = [];
        for (const pool of takeAll(on, "virStoragePoolFree", array, count))
          all.push(await poolFacts(on, pool));
        return all;
      }),
    startPool: (name, folder) =>
      connection.use(async (on) => {
        const xml = `<pool type='dir'><name>${escape(name)}</name><target><path>${escape(folder)}</path></target></pool>`;
        const pool = await on.call("virStoragePoolCreateXML", on.connection, xml, build);
        on.take("virStoragePoolFree", pool);
      }),
    stopPool: (name) =>
      connection.use(async (on) => {
        const pool = await unless(virtCodes.noStoragePool, () =>
          on.call("virStoragePoolLookupByName", on.connection, name),
        );
        if (pool === undefined) return;
        await on.call("virStoragePoolDestroy", on.take("virStoragePoolFree", pool));
      }),
    list: (name) =>
      withPool(name, async (on, pool) => {
        const array: [unknown] = [null];
        const count = await on.call("virStoragePoolListAllVolumes", pool, array, 0);
        const all: Volume[] = [];
        for (const volume of takeAll(on, "virStorageVolFree", array, count))
          all.push(await facts(on, volume));
        return all;
      }),
    find: (pool, name) =>
      withPool(pool, async (on, found) => {
        const volume = await unless(virtCodes.noStorageVolume, () => lookup(on, found, name));
        return volume === undefined ? undefined : facts(on, volume);
      }),
    create: (name, volume) =>
      withPool(name, async (on, pool) => {
        const made = await on.callWithin(createMs, "virStorageVolCreateXML", pool, volumeXml(volume), 0);
        return facts(on, on.take("virStorageVolFree", made));
      }),
    copy: (name, from, volume) =>
      withPool(name, async (on, pool) => {
        const source = await lookup(on, pool, from);
        const xml = volumeXml(volume);
        const made = await on.callWithin(copyMs, "virStorageVolCreateXMLFrom", pool, xml, source, 0);
        const copied = on.take("virStorageVolFree", made);
        const { capacity } = await facts(on, copied);
        if (capacity < volume.capacity)
          await on.call("virStorageVolResize", copied, BigInt(volume.capacity), 0);
        return facts(on, copied);
      }),
    grow: (name, volume, capacity) =>
      withPool(name, async (on, pool) => {
        await on.call("virStorageVolResize", await lookup(on, pool, volume), BigInt(capacity), 0);
      }),
    async upload(pool, name, path, transfer) {
      await using file = await open(path, "r");
      const { size } = await file.stat();
      await transferring(pool, name, (on, volume) =>
        withStream(on, async (stream) => {
          await on.call("virStorageVolUpload", volume, stream, 0n, BigInt(size), 0);
          await sendFile(on, stream, file, transfer);
        }),
      );
      // The pool still believes the sizes and the format of before.
      await withPool(pool, refresh);
    },
    async download(pool, name, path, transfer) {
      const partial = `${path}.partial`;
      try {
        await using file = await open(partial, "w", 0o600);
        await transferring(pool, name, (on, volume) =>
          withStream(on, async (stream) => {
            await on.call("virStorageVolDownload", volume, stream, 0n, 0n, 0);
            await receiveFile(on, stream, file, transfer);
          }),
        );
        await file.sync();
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    },
    async readEnd(pool, name, bytes) {
      return readFrom(pool, name, Math.max(0, (await length(pool, name)) - bytes));
    },
    readFrom,
    length,
    remove: (pool, name) =>
      withPool(pool, async (on, found) => {
        const volume = await unless(virtCodes.noStorageVolume, () => lookup(on, found, name));
        if (volume !== undefined) await on.call("virStorageVolDelete", volume, 0);
      }),
    removeByPath: (path) =>
      connection.use(async (on) => {
        const volume = await unless(virtCodes.noStorageVolume, () =>
          on.call("virStorageVolLookupByPath", on.connection, path),
        );
        if (volume === undefined) return false;
        await on.call("virStorageVolDelete", on.take("virStorageVolFree", volume), 0);
        return true;
      }),
  };
}

async function lookup(on: Session, pool: Pointer, name: string): Promise<Pointer> {
  return on.take("virStorageVolFree", await on.call("virStorageVolLookupByName", pool, name));
}

async function poolFacts(on: Session, pool: Pointer): Promise<Pool> {
  const info: Record<string, unknown> = {};
  await on.call("virStoragePoolGetInfo", pool, info);
  return {
    name: await on.call("virStoragePoolGetName", pool),
    active: info["state"] === running,
    capacity: Number(info["capacity"]),
    available: Number(info["available"]),
  };
}

async function facts(on: Session, volume: Pointer): Promise<Volume> {
  return readVolumeXml(await on.call("virStorageVolGetXMLDesc", volume, 0));
}
