import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { fullDisk, needSpace } from "../local/free-space.ts";
import type { DigestKind } from "../local/kept-file.ts";
import { fileNameOf } from "./place.ts";
import { transferProgress } from "./transfer-progress.ts";
import { writeHashed } from "./write-hashed.ts";

const readBytes = 1024 * 1024;

/** What is looked for, and where it goes. */
export interface Taking {
  readonly url: string;
  readonly kind: DigestKind;
  readonly hex: string;
  /** Where the bytes go. */
  readonly partial: string;
  readonly run: Run;
}

/** What came of it: where the bytes were, or what was there instead. */
export interface Taken {
  readonly path: string | undefined;
  /** Files of the right name with other bytes. */
  readonly wrong: readonly { readonly path: string; readonly hex: string }[];
}

/**
 * Copies a pinned file out of a folder: as `fetch --out` laid it there, or by its name, or by its digest. What decides
 * is the digest of the bytes as they are copied; a name is only where to look.
 */
export async function takeFrom(folder: string, taking: Taking): Promise<Taken> {
  const wrong: { path: string; hex: string }[] = [];
  for (const path of placesIn(folder, taking)) {
    const hex = await copyHashed(path, taking);
    if (hex === taking.hex) return { path, wrong };
    if (hex !== undefined) wrong.push({ path, hex });
  }
  return { path: undefined, wrong };
}

function placesIn(folder: string, { url, hex }: Taking): readonly string[] {
  const name = fileNameOf(url);
  const named = name === undefined ? [] : [join(folder, hex, name), join(folder, name)];
  return [...named, join(folder, hex)];
}

/** Gives the digest of what was copied; `undefined` when there is no such file. */
async function copyHashed(path: string, { kind, partial, run }: Taking): Promise<string | undefined> {
  await using source = await openFile(path);
  if (source === undefined) return undefined;
  const { size } = await source.stat();
  const what = `the copy of ${path}`;
  await needSpace(dirname(partial), size, what);
  const hash = createHash(kind);
  await using target = await open(partial, "w");
  try {
    await writeHashed(piecesOf(source, size, run), { file: target, hash });
  } catch (error) {
    throw await fullDisk(error, { path: dirname(partial), bytes: size, what });
  }
  return hash.digest("hex");
}

async function* piecesOf(source: FileHandle, size: number, run: Run): AsyncGenerator<Uint8Array> {
  const say = transferProgress(run, size);
  let bytes = 0;
  for (;;) {
    run.signal.throwIfAborted();
    // Not one buffer for all: what was yielded may still wait to be written.
    const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(readBytes), 0, readBytes);
    if (bytesRead === 0) return;
    bytes += bytesRead;
    say(bytes);
    yield buffer.subarray(0, bytesRead);
  }
}

/** Opens a regular file; `undefined` when there is none. */
async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    const handle = await open(path, "r");
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ProvisionError(
      "FOLDER_UNUSABLE",
      { path, reason: message, mend: "Make it readable for this user" },
      { cause: error },
    );
  }
}
