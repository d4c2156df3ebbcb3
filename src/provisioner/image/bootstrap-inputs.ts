import { createHash } from "node:crypto";

import type { BootstrapEntry } from "../pins/manifest.ts";
import type { BaseFiles } from "./base-files.ts";
import { type BootstrapPaths, type BootstrapStep, diskSteps, treeSteps } from "./bootstrap-steps.ts";
import { defaultSizes, layOutDisk } from "./disk-layout.ts";

/** Everything a bootstrapped base follows from. Kept beside it, so that a difference can be explained. */
export interface BootstrapInputs {
  readonly entry: BootstrapEntry;
  /** Seconds: the start of the freshness bucket. */
  readonly epoch: number;
  readonly files: BaseFiles;
  /** The very programs that make it, with stand-ins for paths: a change of the code is a change of the key. */
  readonly steps: readonly BootstrapStep[];
}

/** Collects the inputs of a base. */
export function inputsOf(from: Omit<BootstrapInputs, "steps">): BootstrapInputs {
  const { entry, epoch, files } = from;
  // The ids on the disk follow from the key, so here they are those of no key at all.
  const plan = { entry, epoch, files, paths: standIns, disk: layOutDisk(entry.disk ?? defaultSizes, "") };
  const { pack, bootstrap } = treeSteps(plan);
  return { entry, epoch, files, steps: [pack, bootstrap, ...diskSteps(plan)] };
}

/** The key of a base: equal inputs, equal key, whatever the order they are written in. */
export function keyOf(inputs: BootstrapInputs): string {
  return createHash("sha256").update(canonical(inputs)).digest("hex");
}

/** JSON with its names in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

const standIns: BootstrapPaths = {
  skeleton: "/SKELETON",
  skeletonTar: "/SKELETON.tar",
  sources: "/debian.sources",
  grubStub: "/GRUB-STUB",
  tar: "/TAR",
  root: "/ROOT",
  state: "/STATE",
  disk: "/DISK",
  image: "/IMAGE",
};
