import { open } from "node:fs/promises";

/** The few facts of a qcow2 image that its first bytes tell. */
export interface Qcow2Header {
  readonly virtualBytes: number;
  readonly hasBackingFile: boolean;
}

/** Reads a qcow2 header (qemu's docs/interop/qcow2.txt); `undefined` for a file of another format. */
export async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(32), 0, 32, 0);
    // "QFI" and 0xfb.
    if (bytesRead < 32 || buffer.readUInt32BE(0) !== 0x514649fb) return undefined;
    return {
      hasBackingFile: buffer.readBigUInt64BE(8) !== 0n,
      virtualBytes: Number(buffer.readBigUInt64BE(24)),
    };
  } finally {
    await file.close();
  }
}
