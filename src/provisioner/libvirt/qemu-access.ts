import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

import { XMLParser } from "fast-xml-parser";

import { ProvisionError } from "../core/errors.ts";

/** Whom QEMU runs as. */
export interface QemuUser {
  readonly uid: number;
  readonly gid: number;
}

/** QEMU's user in a hypervisor's capabilities; `undefined` when it runs as whoever asks (session mode). */
export function qemuUserFrom(capabilities: string): QemuUser | undefined {
  const parser = new XMLParser({
    ignoreAttributes: false,
    parseTagValue: false,
    isArray: (name) => name === "secmodel" || name === "baselabel",
  });
  for (const model of parser.parse(capabilities)?.capabilities?.host?.secmodel ?? []) {
    if (model?.model !== "dac") continue;
    for (const label of model.baselabel ?? []) {
      const [, uid, gid] = /^\+(\d+):\+(\d+)$/.exec(String(label?.["#text"] ?? label)) ?? [];
      if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}

/**
 * Throws IMAGE_UNREADABLE when QEMU's user cannot get to a file. libvirt hands the file itself over, never the
 * folders above it.
 */
export async function checkQemuAccess(path: string, user: QemuUser): Promise<void> {
  for (const folder of foldersAbove(path)) {
    if (await mayEnter(folder, user)) continue;
    throw new ProvisionError("IMAGE_UNREADABLE", {
      path,
      component: folder,
      user: `${user.uid}:${user.gid}`,
    });
  }
}

function foldersAbove(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [...foldersAbove(folder), folder];
}

async function mayEnter(folder: string, user: QemuUser): Promise<boolean> {
  // Root asks the kernel in QEMU's place: it knows access lists and everything else.
  if (process.getuid?.() === 0) return runs("test", ["-x", folder], user);
  const { mode, uid, gid } = await stat(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) !== 0) return true;
  // An access list shows in none of the bits above; without getfacl nobody has made one.
  return new Promise((resolve) => {
    execFile("getfacl", ["--omit-header", "--numeric", "--absolute-names", folder], (error, stdout) =>
      resolve(error === null && new RegExp(`^(user:${user.uid}|group:${user.gid}):..x`, "m").test(stdout)),
    );
  });
}

function runs(program: string, args: readonly string[], as: QemuUser): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, [...args], { uid: as.uid, gid: as.gid, cwd: "/" }, (error) => resolve(error === null));
  });
}
