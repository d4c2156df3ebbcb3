import { randomBytes } from "node:crypto";
import { chmod, chown, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { holdLock } from "../local/lock.ts";

/** Reads a file whose bytes are text; others would not come back as they were. */
export async function readText(path: string, shown: string): Promise<string> {
  const bytes = await readFile(path);
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return text;
  throw new ProvisionError("PIN_EDIT_REFUSED", {
    file: shown,
    place: "the file",
    reason: "it must be UTF-8, is not",
  });
}

/**
 * Puts a new text in the place of the one that was read: whole or not at all, with the same mode and owner. A file
 * that somebody has changed meanwhile stays as it is.
 */
export async function replaceText(
  path: string,
  {
    from,
    to,
    shown,
    run,
  }: { readonly from: string; readonly to: string; readonly shown: string; readonly run: Run },
): Promise<void> {
  // A link stays one: what it leads to is replaced.
  const real = await realpath(path);
  await using _lock = await holdLock(`${real}.lock`, shown, run);
  const beside = `${real}.${randomBytes(6).toString("hex")}`;
  try {
    const { mode, uid, gid } = await stat(real);
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(to);
      await file.sync();
    } finally {
      await file.close();
    }
    const mine = await stat(beside);
    if (mine.uid !== uid || mine.gid !== gid) await chown(beside, uid, gid);
    await chmod(beside, mode & 0o7777);
    if ((await readFile(real, "utf8")) !== from) throw new ProvisionError("PINS_CHANGED", { file: shown });
    await rename(beside, real);
    await syncFolder(dirname(real));
  } finally {
    await rm(beside, { force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
