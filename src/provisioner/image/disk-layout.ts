import { createHash } from "node:crypto";

import { stateLayout } from "../core/state-layout.ts";

const MIB = 1024 * 1024;
const SECTOR = 512;

/** Sizes a base may choose; the ESP is always the same. */
export interface DiskSizes {
  readonly rootGiB: number;
  readonly stateGiB: number;
}

/** One partition, by its place in the disk file. */
export interface Partition {
  readonly name: string;
  /** GPT type. */
  readonly type: string;
  readonly uuid: string;
  readonly startMiB: number;
  readonly sizeMiB: number;
}

/** A disk of three parts; state comes last, so that it can grow. */
export interface DiskLayout {
  readonly id: string;
  readonly sizeMiB: number;
  readonly esp: Partition;
  readonly root: Partition;
  readonly state: Partition;
}

/** The default sizes: empty space costs nothing in a sparse file, and root can never grow. */
export const defaultSizes: DiskSizes = { rootGiB: 6, stateGiB: 2 };

/** Places the partitions. All ids follow from `seed`: the same base has the same ids, another base others. */
export function layOutDisk(sizes: DiskSizes, seed: string): DiskLayout {
  const { labels } = stateLayout;
  const part = (name: string, type: string, startMiB: number, sizeMiB: number): Partition => ({
    name,
    type,
    uuid: idFrom(seed, name),
    startMiB,
    sizeMiB,
  });
  const esp = part(labels.esp, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 1, 64);
  const root = part(labels.root, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", endOf(esp), sizes.rootGiB * 1024);
  const state = part(
    labels.state,
    "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
    endOf(root),
    sizes.stateGiB * 1024,
  );
  // The last MiB holds the second copy of the partition table.
  return { id: idFrom(seed, "disk"), sizeMiB: endOf(state) + 1, esp, root, state };
}

/** The partition table, as sfdisk reads it. */
export function partitionScript(disk: DiskLayout): string {
  const lines = [disk.esp, disk.root, disk.state].map(
    ({ name, type, uuid, startMiB, sizeMiB }) =>
      `start=${sectors(startMiB)}, size=${sectors(sizeMiB)}, type=${type}, uuid=${uuid}, name="${name}"`,
  );
  return ["label: gpt", `label-id: ${disk.id}`, "unit: sectors", ...lines, ""].join("\n");
}

/** Where a partition begins in the disk file, in bytes: for mkfs and debugfs. */
export function offsetOf(partition: Partition): number {
  return partition.startMiB * MIB;
}

/** A UUID (version 8: of our own making) that follows from two words. */
export function idFrom(seed: string, name: string): string {
  const hex = createHash("sha256").update(`${seed}\n${name}`).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

function endOf({ startMiB, sizeMiB }: Partition): number {
  return startMiB + sizeMiB;
}

function sectors(mib: number): number {
  return (mib * MIB) / SECTOR;
}
