import { type FileHandle, open } from "node:fs/promises";

import { Refusal } from "./refusal.ts";

/** Large enough that the cost of a call does not count; with 1 MiB the kernel worked twice as long to give the memory. */
export const pieceBytes = 256 * 1024;

/** A file that is read by position, through one descriptor: what was looked at is what gets unpacked. */
export interface ArchiveFile extends AsyncDisposable {
  /** For yauzl and for programs that read it themselves; its own position is never moved. */
  readonly descriptor: number;
  readonly size: number;
  readonly signal: AbortSignal;
  /** Bytes from `start` up to `end`; throws a refusal when the file ends before. */
  pieces(start: number, end: number): AsyncGenerator<Buffer>;
}

/** Opens it; reading stops with the signal. */
export async function openArchiveFile(path: string, signal: AbortSignal): Promise<ArchiveFile> {
  const handle = await open(path, "r");
  return {
    descriptor: handle.fd,
    size: (await handle.stat()).size,
    signal,
    pieces: (start, end) => pieces(handle, { start, end, signal }),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The first `length` bytes, or all there are. */
export async function headOf(file: ArchiveFile, length: number): Promise<Buffer> {
  const head: Buffer[] = [];
  for await (const piece of file.pieces(0, Math.min(length, file.size))) head.push(piece);
  return Buffer.concat(head);
}

async function* pieces(
  handle: FileHandle,
  { start, end, signal }: { readonly start: number; readonly end: number; readonly signal: AbortSignal },
): AsyncGenerator<Buffer> {
  for (let position = start; position < end;) {
    signal.throwIfAborted();
    const length = Math.min(pieceBytes, end - position);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) throw new Refusal("damage", "must be whole, is cut off");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
