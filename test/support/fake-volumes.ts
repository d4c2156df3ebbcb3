import { readFile } from "node:fs/promises";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import type { DeployDriver } from "../../src/provisioner/deploy/deployment.ts";
import type { Volume } from "../../src/provisioner/libvirt/volumes.ts";

/** A volume of the fake hypervisor. */
export interface FakeVolume {
  readonly capacity: number;
  readonly backing: string | undefined;
  readonly content: Buffer;
  /** Another one for each volume that is made, whatever its name. */
  readonly serial: number;
  /** Its pool knows of it: one looks anew only when it is asked to. */
  readonly isKnown: boolean;
}

const pools = ["default", "ssd"];

/** Two pools in memory. Volumes are known by their paths. */
export class FakeVolumes {
  readonly all = new Map<string, FakeVolume>();
  /** Bytes that are free in each pool. */
  available = 100 * 1024 ** 3;
  readonly methods: DeployDriver["volumes"];
  #made = 0;

  constructor() {
    const { all } = this;
    const read = (pool: string, name: string) => {
      const path = `${this.folder(pool)}/${name}`;
      const volume = all.get(path);
      return volume?.isKnown ? { path, volume } : undefined;
    };
    const must = (pool: string, name: string) => read(pool, name) ?? refuse(`no storage vol '${name}'`);
    const facts = (pool: string, name: string): Volume | undefined => {
      const found = read(pool, name);
      if (found === undefined) return undefined;
      const { capacity, backing, content } = found.volume;
      const bytes = content.length;
      return { name, path: found.path, capacity, allocation: bytes, bytes, backing, modified: undefined };
    };
    const make = (pool: string, name: string, volume: Partial<FakeVolume>): Volume => {
      const path = `${this.folder(pool)}/${name}`;
      if (all.has(path)) refuse(`storage volume '${name}' exists already`);
      const serial = ++this.#made;
      const empty = { capacity: 0, backing: undefined, content: Buffer.alloc(0), isKnown: true, serial };
      all.set(path, { ...empty, ...volume });
      return facts(pool, name) ?? refuse("it is not there");
    };
    this.methods = {
      pools: async () =>
        pools.map((name) => ({ name, active: true, capacity: 2 ** 40, available: this.available })),
      startPool: async () => {},
      stopPool: async () => {},
      refresh: async (pool) => this.#look(pool),
      list: async (pool) => this.names(pool).flatMap((name) => facts(pool, name) ?? []),
      find: async (pool, name) => facts(pool, name),
      create: async (pool, { name, capacity, backing }) => {
        if (backing !== undefined && !this.has(backing.path)) refuse(`no backing file ${backing.path}`);
        return make(pool, name, { capacity, backing: backing?.path });
      },
      copy: async (pool, from, { name, capacity }) => {
        const { volume } = must(pool, from);
        return make(pool, name, { content: volume.content, capacity: Math.max(volume.capacity, capacity) });
      },
      grow: async (pool, name, capacity) => {
        const { path, volume } = must(pool, name);
        all.set(path, { ...volume, capacity });
      },
      upload: async (pool, name, file, { signal }) => {
        const { path, volume } = must(pool, name);
        signal?.throwIfAborted();
        const content = await readFile(file);
        const isQcow2 = content.length >= 32 && content.readUInt32BE(0) === 0x514649fb;
        const capacity = isQcow2 ? Number(content.readBigUInt64BE(24)) : content.length;
        all.set(path, { ...volume, content, capacity });
        this.#look(pool);
      },
      download: async () => refuse("nothing is downloaded here"),
      readEnd: async (pool, name, bytes) =>
        read(pool, name)?.volume.content.subarray(-bytes) ?? Buffer.alloc(0),
      readFrom: async (pool, name, from) =>
        read(pool, name)?.volume.content.subarray(from) ?? Buffer.alloc(0),
      length: async (pool, name) => {
        this.#look(pool);
        return read(pool, name)?.volume.content.length ?? 0;
      },
      remove: async (pool, name) => {
        const found = read(pool, name);
        if (found !== undefined) all.delete(found.path);
      },
      removeByPath: async (path) => (all.get(path)?.isKnown ? all.delete(path) : false),
    };
  }

  folder(pool: string): string {
    if (pools.includes(pool)) return `/pools/${pool}`;
    throw new ProvisionError("POOL_MISSING", { pool, uri: "fake:///system" });
  }

  has(path: string): boolean {
    return this.all.has(path);
  }

  /** What lies in a pool, known to it or not. */
  names(pool = "default"): readonly string[] {
    const folder = `${this.folder(pool)}/`;
    const paths = [...this.all.keys()].filter((path) => path.startsWith(folder));
    return paths.map((path) => path.slice(folder.length)).toSorted();
  }

  /** Writes a file into a pool's folder behind its back. */
  write(path: string, text: string): void {
    const content = Buffer.from(text);
    const { isKnown = false, serial = ++this.#made } = this.all.get(path) ?? {};
    this.all.set(path, { capacity: content.length, backing: undefined, content, isKnown, serial });
  }

  #look(pool: string): void {
    for (const [path, volume] of this.all)
      if (path.startsWith(`${this.folder(pool)}/`)) this.all.set(path, { ...volume, isKnown: true });
  }
}

function refuse(reason: string): never {
  const facts = { uri: "fake:///system", call: "virStorageVol", code: 50, domain: 18, reason };
  throw new ProvisionError("LIBVIRT_FAILED", facts);
}
