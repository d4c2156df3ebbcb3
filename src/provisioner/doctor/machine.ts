import { constants } from "node:fs";
import { access, readFile, stat, statfs } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";

/** This machine, as the doctor sees and treats it. */
export interface Patient {
  readonly user: string;
  readonly uid: number;
  readonly nodeVersion: string;
  /** Where base images and downloads are kept. */
  readonly cacheDir: string;
  /** What a program printed; `undefined` when it is missing or failed. */
  ask(...argv: [string, ...string[]]): Promise<string | undefined>;
  /** Whether a program can be found, in sbin too. */
  has(program: string): Promise<boolean>;
  exists(path: string): Promise<boolean>;
  /** Whether this user may read and write it. */
  mayUse(path: string): Promise<boolean>;
  read(path: string): Promise<string | undefined>;
  freeGiB(path: string): Promise<number>;
  /** Whether users other than the owner may pass through a directory. */
  isOpen(directory: string): Promise<boolean>;
}

/** The real one. */
export function thisMachine(cacheDir: string, run: Run): Patient {
  const path = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return {
    user: userInfo().username,
    uid: userInfo().uid,
    nodeVersion: process.versions.node,
    cacheDir,
    async ask(...argv) {
      try {
        return await program(argv, { run, timeoutMs: 20_000 });
      } catch (error) {
        if (error instanceof ProvisionError) return undefined;
        throw error;
      }
    },
    async has(name) {
      const found = await Promise.all(path.map((directory) => may(join(directory, name), constants.X_OK)));
      return found.includes(true);
    },
    exists: (file) => may(file, constants.F_OK),
    mayUse: (file) => may(file, constants.R_OK | constants.W_OK),
    read: (file) => readFile(file, "utf8").catch(() => undefined),
    async freeGiB(directory) {
      const { bavail, bsize } = await statfs(await nearest(directory));
      return (bavail * bsize) / 1024 ** 3;
    },
    async isOpen(directory) {
      return ((await stat(directory).catch(() => undefined))?.mode ?? 0o001) % 2 === 1;
    },
  };
}

async function may(file: string, mode: number): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}

/** The first directory upwards that is there. */
async function nearest(directory: string): Promise<string> {
  if (directory === dirname(directory) || (await may(directory, constants.F_OK))) return directory;
  return nearest(dirname(directory));
}
