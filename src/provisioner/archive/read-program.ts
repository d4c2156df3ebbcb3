import type { Allowance } from "./allowance.ts";
import type { ArchiveFile } from "./archive-file.ts";
import type { Take } from "./member.ts";
import { Refusal } from "./refusal.ts";

/** Reads a file that is no archive: one program, under the name that the artifact has. */
export async function readProgram(
  file: ArchiveFile,
  name: string,
  { take, allowance }: { readonly take: Take; readonly allowance: Allowance },
): Promise<void> {
  if (name.includes("/")) throw new Refusal("content", "must have a name without a slash", { entry: name });
  allowance.allowBytes(file.size);
  const body = take({ path: name, kind: "file", mode: 0o755, size: file.size });
  for await (const piece of file.pieces(0, file.size)) await body?.write(piece);
  await body?.end();
}
