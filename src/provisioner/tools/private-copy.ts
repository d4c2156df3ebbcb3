import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { PinnedFile } from "../core/tool-pin.ts";

/**
 * Gives a path at which nobody else can put other bytes between the check of a file and its use: the file itself
 * when it and its directory are ours alone, else a copy that is checked while it is made.
 */
export async function privateCopy(path: string, file: PinnedFile, copy: string): Promise<string> {
  if ((await isOursAlone(path)) && (await isOursAlone(dirname(path)))) return path;
  const hash = createHash("sha256");
  const output = await open(copy, "wx", 0o600);
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      hash.update(chunk as Buffer);
      await output.write(chunk as Buffer);
    }
  } finally {
    await output.close();
  }
  const got = hash.digest("hex");
  if (got === file.sha256) return copy;
  await rm(copy);
  const wanted = `sha256 ${file.sha256}`;
  throw new ProvisionError("DIGEST_DIFFERS", { name: file.name, url: path, wanted, got });
}

async function isOursAlone(path: string): Promise<boolean> {
  const { uid, mode } = await stat(path);
  return (uid === 0 || uid === userInfo().uid) && (mode & 0o022) === 0;
}
