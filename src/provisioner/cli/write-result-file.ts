import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { ProvisionError } from "../core/errors.ts";

/** Writes a file that a flag names, with the folders on the way. */
export async function writeResultFile(path: string, text: string, cwd: string): Promise<void> {
  const file = resolve(cwd, path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const mend = "Name another file, or make its folder writable";
    throw new ProvisionError("FOLDER_UNUSABLE", { path: file, reason, mend }, { cause: error });
  }
}
