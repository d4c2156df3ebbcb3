import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  write,
  writeFileSync,
} from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { pieceBytes } from "./archive-file.ts";
import type { Body } from "./member.ts";
import { Refusal, short } from "./refusal.ts";

/** Nothing there is replaced, and nothing followed. */
const FRESH = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW | constants.O_WRONLY;

const writeAt = promisify(write);

/**
 * Writes below a directory of its own. What is small is written at once: a call into the kernel takes less than
 * handing it to another thread, and decompression goes on in one meanwhile.
 */
export class DiskWriter implements AsyncDisposable {
  readonly #root: string;
  #open: LargeFile | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  directory(path: string): void {
    const place = join(this.#root, path);
    mkdirSync(place, 0o700);
    // The umask has no say.
    chmodSync(place, 0o755);
  }

  /** Says where the bytes of a file go; one file at a time. */
  file(path: string, { mode, size }: { readonly mode: number; readonly size: number }): Body {
    const place = join(this.#root, path);
    if (size <= pieceBytes) return smallFile(place, mode);
    this.#open = new LargeFile(place, mode);
    return this.#open;
  }

  hardLink({ path, target }: { readonly path: string; readonly target: string }): void {
    linkSync(join(this.#root, target), join(this.#root, path));
  }

  symlink({ path, target }: { readonly path: string; readonly target: string }): void {
    symlinkSync(target, join(this.#root, path));
  }

  /** Asks the kernel itself where a link leads. */
  async checkLink({ path, target }: { readonly path: string; readonly target: string }): Promise<void> {
    const root = await realpath(this.#root);
    // Of node:fs/promises it is the C library's, which follows links before it takes `..`; fs.realpathSync is not.
    const leadsTo = await realpath(join(this.#root, path)).catch(() => undefined);
    if (leadsTo === root || leadsTo?.startsWith(`${root}/`)) return;
    throw new Refusal(
      "content",
      `must point into the archive, its target "${short(target)}" leads out of it`,
      {
        entry: path,
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.close();
  }
}

function smallFile(place: string, mode: number): Body {
  const pieces: Buffer[] = [];
  return {
    write: (piece) => {
      pieces.push(piece);
    },
    end: () => {
      const descriptor = openSync(place, FRESH, 0o600);
      try {
        const [only] = pieces;
        writeFileSync(descriptor, only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces));
        fchmodSync(descriptor, mode);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** A file with one piece on its way to the disk while the next one is made. */
class LargeFile implements Body {
  readonly #descriptor: number;
  readonly #mode: number;
  #position = 0;
  #pending: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(place: string, mode: number) {
    this.#descriptor = openSync(place, FRESH, 0o600);
    this.#mode = mode;
  }

  async write(piece: Buffer): Promise<void> {
    await this.#pending;
    this.#pending = this.#put(piece, this.#position);
    // It is awaited before the next piece; until then a failure must not count as one that nobody heard of.
    this.#pending.catch(() => {});
    this.#position += piece.length;
  }

  async end(): Promise<void> {
    await this.#pending;
    fchmodSync(this.#descriptor, this.#mode);
    await this.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pending.catch(() => {});
    closeSync(this.#descriptor);
  }

  async #put(piece: Buffer, position: number): Promise<void> {
    for (let done = 0; done < piece.length;) {
      const { bytesWritten } = await writeAt(
        this.#descriptor,
        piece,
        done,
        piece.length - done,
        position + done,
      );
      done += bytesWritten;
    }
  }
}
