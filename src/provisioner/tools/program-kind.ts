import { open } from "node:fs/promises";

import type { Architecture } from "../core/tool-pin.ts";

/** What the first bytes of a file say that it is. */
export type ProgramKind =
  | { readonly kind: "elf"; readonly machine: string }
  | { readonly kind: "script" }
  | { readonly kind: "other"; readonly what: string };

/** e_machine of an ELF header (elf.h). */
const machines: ReadonlyMap<number, string> = new Map([
  [3, "i386"],
  [40, "arm"],
  [62, "x86_64"],
  [183, "aarch64"],
  [243, "riscv64"],
]);

const magics: readonly (readonly [hex: string, what: string])[] = [
  ["1f8b", "gzip data"],
  ["fd377a585a00", "xz data"],
  ["28b52ffd", "zstd data"],
  ["504b0304", "a zip archive"],
  ["4d5a", "a Windows program"],
  ["cffaedfe", "a macOS program"],
  ["3c", "an HTML or XML page"],
];

/** Looks at what a file is, by its bytes. */
export async function programKind(path: string): Promise<ProgramKind> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return kindOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Whether it can run on a machine: a script's interpreter is the user's affair. */
export function runsOn(kind: ProgramKind, architecture: Architecture): boolean {
  return kind.kind === "script" || (kind.kind === "elf" && kind.machine === architecture);
}

/** What it is, in words. */
export function programWords(kind: ProgramKind): string {
  if (kind.kind === "elf") return `an ELF program for ${kind.machine}`;
  return kind.kind === "script" ? "a script" : kind.what;
}

function kindOf(head: Buffer): ProgramKind {
  if (head.length === 0) return { kind: "other", what: "an empty file" };
  if (head.subarray(0, 2).toString("latin1") === "#!") return { kind: "script" };
  if (head.length >= 20 && head.subarray(0, 4).toString("latin1") === "\u007FELF") {
    const isBig = head[5] === 2;
    const number = isBig ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return { kind: "elf", machine: machines.get(number) ?? `machine ${number}` };
  }
  const hex = head.toString("hex");
  const what = magics.find(([magic]) => hex.startsWith(magic))?.[1];
  return { kind: "other", what: what ?? "neither an ELF program nor a script" };
}
