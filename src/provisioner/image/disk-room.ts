import { ProvisionError } from "../core/errors.ts";
import type { DiskNeed } from "../spec/image-spec.ts";
import type { Manifest } from "../pins/manifest.ts";
import { defaultSizes, layOutDisk } from "./disk-layout.ts";

const MIB = 1024 ** 2;

/** What the file systems of a build may count on. */
export interface DiskRoom {
  /** Name of the base, for messages. */
  readonly base: string;
  /** What the spec says, or the default. */
  readonly sizeGiB: number;
  readonly needs: readonly DiskNeed[];
}

/** Throws DISK_TOO_SMALL when a base of our own layout has too little room for a spec; known before it is made. */
export function checkRoom(entry: Manifest["bases"][string], room: DiskRoom): void {
  if (entry.kind === "cloud-image") return;
  const sizes = entry.disk ?? defaultSizes;
  const layout = layOutDisk(sizes, "");
  const diskGiB = Math.max(room.sizeGiB, Math.ceil(layout.sizeMiB / 1024));
  // State is the last partition and grows; the MiB behind it has the second copy of the table.
  const stateGiB = (diskGiB * 1024 - 1 - layout.state.startMiB) / 1024;
  for (const { part, gib, where } of room.needs) {
    const hasGiB = part === "root" ? sizes.rootGiB : stateGiB;
    if (gib <= hasGiB) continue;
    const mend =
      part === "root"
        ? `Set \`disk: { rootGiB: ${gib}, stateGiB: ${sizes.stateGiB} }\` of the base "${room.base}" in versions.yaml: root cannot grow later`
        : `Set \`disk: { sizeGiB: ${Math.ceil((layout.state.startMiB + 1) / 1024 + gib)} }\` in the spec: state gets what root leaves`;
    throw tooSmall(room.base, `the ${part} file system`, { gib, hasGiB, mend, where });
  }
}

/**
 * Throws DISK_TOO_SMALL when a vendor's disk, on which root and state are one, has too little room for a spec; known
 * once the disk is here.
 */
export function checkVendorRoom(virtualBytes: number, { base, sizeGiB, needs }: DiskRoom): void {
  const hasGiB = Math.max(sizeGiB, virtualBytes / MIB / 1024);
  const gib = needs.reduce((sum, need) => sum + need.gib, 0);
  const [first] = needs;
  if (gib <= hasGiB || first === undefined) return;
  const mend = `Set \`disk: { sizeGiB: ${gib} }\` in the spec: the file system grows to it`;
  throw tooSmall(base, "the disk", { gib, hasGiB, mend, where: first.where });
}

function tooSmall(
  base: string,
  part: string,
  {
    gib,
    hasGiB,
    mend,
    where,
  }: Pick<DiskNeed, "gib" | "where"> & { readonly hasGiB: number; readonly mend: string },
): ProvisionError<"DISK_TOO_SMALL"> {
  // Downwards: a disk that lacks little must not look like one that has all.
  const has = (Math.floor(hasGiB * 10) / 10).toFixed(1);
  return new ProvisionError("DISK_TOO_SMALL", { base, part, neededGiB: gib, hasGiB: has, mend }, { where });
}
