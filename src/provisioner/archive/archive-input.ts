import type { ArtifactFormat } from "../core/tool-pin.ts";

/** How much an archive may bring. */
export interface Limits {
  /** Files, directories and links. */
  readonly entries: number;
  readonly bytes: number;
  /** Unpacked bytes for one packed byte; no concern below 64 MiB. */
  readonly ratio: number;
}

/** Beyond any release that was seen; a decompression bomb passes one of them within seconds. */
export const generousLimits: Limits = { entries: 200_000, bytes: 8 * 1024 ** 3, ratio: 250 };

/** An archive, or a program by itself, on this machine's disk. */
export interface ArchiveInput {
  /** For people; a `raw` artifact is unpacked under it. */
  readonly name: string;
  readonly path: string;
  readonly format: ArtifactFormat;
  readonly signal: AbortSignal;
  /** `generousLimits` when left out. */
  readonly limits?: Limits;
}

/** What came out of an archive, or would. */
export interface UnpackedEntry {
  /** Relative, without `.`, `..` and a slash at the end. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  /** 0o755 or 0o644 for files */
  readonly mode: number;
  /** Bytes of a file, else 0. */
  readonly size: number;
  /** Where a symbolic link points, as it is written in it. */
  readonly target?: string;
}
