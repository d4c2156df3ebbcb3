import { join } from "node:path";

import type { HostSpec } from "../spec/host-spec.ts";

/** The volumes of a host, by name. They all lie in its pool. */
export interface HostFiles {
  readonly disk: string;
  readonly seed: string;
  readonly console: string;
  /** By the name of the disk. */
  readonly extraDisks: ReadonlyMap<string, string>;
}

/**
 * What a host's volumes are called: after it, so that people find them. No host has a dot in its name, so a disk of one
 * is never another's.
 */
export function hostFiles({ name, extraDisks }: Pick<HostSpec, "name" | "extraDisks">): HostFiles {
  return {
    disk: `${name}.qcow2`,
    seed: `${name}-seed.img`,
    console: `${name}-console.log`,
    extraDisks: new Map(extraDisks.map((disk) => [disk.name, `${name}.disk-${disk.name}.qcow2`])),
  };
}

/** The same as paths on the hypervisor. */
export function filesIn(folder: string, files: HostFiles): HostFiles {
  const path = (name: string) => join(folder, name);
  return {
    disk: path(files.disk),
    seed: path(files.seed),
    console: path(files.console),
    extraDisks: new Map([...files.extraDisks].map(([disk, name]) => [disk, path(name)])),
  };
}
