import type { FileHandle } from "node:fs/promises";

import type { Pointer } from "./binding.ts";
import type { Session } from "./connection.ts";

/** libvirt's own measure: the most that one message to a daemon of any age holds. */
const chunk = 262_120;

/** Told after each chunk how many bytes have gone over. */
export interface Transfer {
  readonly signal: AbortSignal;
  readonly onProgress?: (bytes: number) => void;
}

/** A stream of the session's connection; what goes wrong in it ends it on both sides. */
export async function withStream(on: Session, work: (stream: Pointer) => Promise<void>): Promise<void> {
  const stream = on.take("virStreamFree", await on.call("virStreamNew", on.connection, 0));
  try {
    await work(stream);
    // The daemon's verdict on the whole transfer.
    await on.call("virStreamFinish", stream);
  } catch (error) {
    await on.call("virStreamAbort", stream).catch(() => {});
    throw error;
  }
}

/** Sends a whole file. */
export async function sendFile(
  on: Session,
  stream: Pointer,
  file: FileHandle,
  transfer: Transfer,
): Promise<void> {
  const buffer = Buffer.alloc(chunk);
  let sent = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, chunk, sent);
    if (bytesRead === 0) return;
    for (let from = 0; from < bytesRead;) {
      transfer.signal.throwIfAborted();
      const part = buffer.subarray(from, bytesRead);
      from += await on.call("virStreamSend", stream, part, BigInt(part.length));
    }
    sent += bytesRead;
    transfer.onProgress?.(sent);
  }
}

/** Writes all that comes to a file. */
export async function receiveFile(
  on: Session,
  stream: Pointer,
  file: FileHandle,
  transfer: Transfer,
): Promise<void> {
  const buffer = Buffer.alloc(chunk);
  let received = 0;
  for (;;) {
    transfer.signal.throwIfAborted();
    const bytes = await on.call("virStreamRecv", stream, buffer, BigInt(chunk));
    if (bytes === 0) return;
    await file.write(buffer, 0, bytes, received);
    received += bytes;
    transfer.onProgress?.(received);
  }
}

/** All that comes, at once: for what is known to be small. */
export async function receiveBytes(on: Session, stream: Pointer): Promise<Buffer> {
  const parts: Buffer[] = [];
  const buffer = Buffer.alloc(chunk);
  for (;;) {
    const bytes = await on.call("virStreamRecv", stream, buffer, BigInt(chunk));
    if (bytes === 0) return Buffer.concat(parts);
    parts.push(Buffer.from(buffer.subarray(0, bytes)));
  }
}
