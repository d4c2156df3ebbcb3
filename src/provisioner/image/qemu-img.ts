import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";

const GIB = 1024 ** 3;

/** A thin disk over `base`: what is written lands in `path`, the base stays as it is. */
export async function makeOverlay(
  base: string,
  path: string,
  options: { sizeGiB?: number; run: Run },
): Promise<void> {
  const size = options.sizeGiB === undefined ? [] : [String(options.sizeGiB * GIB)];
  await program(
    ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path, ...size],
    options,
  );
}

/** One compressed qcow2 without a backing file. */
export async function flatten(from: string, to: string, run: Run): Promise<void> {
  const zstd = ["-c", "-o", "compression_type=zstd"] as const;
  await program(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", ...zstd, from, to], { run });
}

/** The disk's bytes, with holes where nothing was written. */
export async function toRaw(from: string, to: string, run: Run): Promise<void> {
  await program(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", from, to], { run });
}

/** Size of the disk as a guest sees it, in bytes. */
export async function virtualSize(path: string, run: Run): Promise<number> {
  const info = JSON.parse(await program(["qemu-img", "info", "--output=json", path], { run })) as {
    readonly "virtual-size": number;
  };
  return info["virtual-size"];
}
