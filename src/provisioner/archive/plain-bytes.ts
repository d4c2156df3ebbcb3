import { pipeline } from "node:stream/promises";
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";

import { ProvisionError } from "../core/errors.ts";
import { type ArchiveFile, pieceBytes } from "./archive-file.ts";
import { isZero } from "./block-reader.ts";
import { decompressWith } from "./decompress-with.ts";
import { Refusal } from "./refusal.ts";

/** A decompressor of Node's that counts what it took in. */
type Decompressor = Transform & { readonly bytesWritten: number };

/** Since Node 22.15; older type declarations do not know it. */
const { createZstdDecompress } = zlib as {
  readonly createZstdDecompress?: (options: { readonly chunkSize: number }) => Decompressor;
};

/** The tar inside a file of one of tar's formats. What comes is whole and undamaged, or this throws. */
export function plainBytes(
  format: "tar" | "tar.gz" | "tar.xz" | "tar.zst",
  file: ArchiveFile,
): AsyncIterable<Buffer> {
  if (format === "tar") return file.pieces(0, file.size);
  if (format === "tar.gz") return gunzip(file);
  if (format === "tar.xz") return decompressWith(["xz", "-dc", "--format=xz", `--memlimit=${MEMORY}`], file);
  return unzstd(file);
}

/** What xz and zstd may take for a dictionary; their highest ordinary levels need 65 and 128 MiB. */
const MEMORY = "512MiB";

/** By the program where there is one: Node's own decoder comes second for the reasons it gives below. */
async function* unzstd(file: ArchiveFile): AsyncGenerator<Buffer> {
  try {
    yield* decompressWith(["zstd", "-dcq", `--memory=${MEMORY}`], file);
  } catch (error) {
    // A program that is missing has yielded nothing yet.
    const missing = error instanceof ProvisionError && error.code === "ARCHIVE_TOOL_MISSING";
    if (!missing || !createZstdDecompress) throw error;
    yield* unzstdInNode(createZstdDecompress({ chunkSize: pieceBytes }), file);
  }
}

/**
 * Node's decoder stops after one of several frames (https://github.com/nodejs/node/issues/64741) and takes a frame
 * that is cut off for a whole one (https://github.com/nodejs/node/issues/64592): the first is refused here, the second
 * by the tar inside, of which the end is asked for.
 */
export async function* unzstdInNode(decompressor: Decompressor, file: ArchiveFile): AsyncGenerator<Buffer> {
  yield* through(decompressor, file.pieces(0, file.size), file.signal);
  if (decompressor.bytesWritten !== file.size)
    throw new Refusal(
      "damage",
      "must be one zstd frame, goes on after it; the program zstd(1) reads several",
    );
}

/** What comes out of a decompressor of Node's. */
export async function* through(
  decompressor: Decompressor,
  packed: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const fed = pipeline(packed, decompressor, { signal });
  // Its failure also ends the reading below, which is where it is thrown.
  fed.catch(() => {});
  try {
    for await (const piece of decompressor) yield piece as Buffer;
  } catch (error) {
    signal.throwIfAborted();
    throw damage(error);
  } finally {
    decompressor.destroy();
  }
}

async function* gunzip(file: ArchiveFile): AsyncGenerator<Buffer> {
  const decompressor = zlib.createGunzip({ chunkSize: pieceBytes });
  yield* through(decompressor, file.pieces(0, file.size), file.signal);
  // zlib takes a zero after the end for padding and looks no further.
  for await (const piece of file.pieces(decompressor.bytesWritten, file.size))
    if (!isZero(piece)) throw new Refusal("damage", "must end where its gzip data ends, goes on");
}

function damage(error: unknown): unknown {
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code === "Z_BUF_ERROR") return new Refusal("damage", "must be whole, is cut off", { cause: error });
  if (!code.startsWith("Z_") && !code.startsWith("ZSTD_")) return error;
  return new Refusal("damage", `must be undamaged, cannot be decompressed: ${message}`, { cause: error });
}
