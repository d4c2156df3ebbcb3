import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { ArchiveInput } from "../../src/provisioner/archive/unpack-archive.ts";
import { scratchFolder } from "./scratch-folder.ts";

/** An archive of these bytes in a fresh directory, and a place beside it to unpack into. */
export async function archiveOnDisk(
  bytes: Buffer,
  format: ArchiveInput["format"],
  rest: Partial<ArchiveInput> = {},
): Promise<{ readonly input: ArchiveInput; readonly directory: string; readonly folder: string }> {
  const folder = await scratchFolder();
  const input = {
    name: "tool",
    path: join(folder, "tool.archive"),
    format,
    signal: new AbortController().signal,
    ...rest,
  };
  await writeFile(input.path, bytes);
  return { input, directory: join(folder, "root"), folder };
}
