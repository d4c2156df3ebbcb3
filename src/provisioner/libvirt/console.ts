import { open, stat } from "node:fs/promises";

import { escapes } from "../core/foreign-text.ts";

/** The last of a console that is ever looked at. */
const window = 64 * 1024;

/** Last lines of a console log, cleaned; empty while there is no log. */
export async function readConsoleTail(path: string, lines = 40): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, window));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return cleanConsole(bytes.toString("utf8", 0, bytesRead))
      .split("\n")
      .slice(-lines)
      .join("\n");
  } finally {
    await file.close();
  }
}

/** Bytes in a console log; virtlogd begins it anew at 2 MiB, so it can also get smaller. */
export async function consoleSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** What a guest printed as plain lines: no escape sequences, no control characters, no blank lines. */
export function cleanConsole(raw: string): string {
  return raw
    .replaceAll(escapes, "")
    .split(/\r*\n|\r/)
    .map((line) => line.replace(/[^\P{Cc}\t]/gu, "").trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}
