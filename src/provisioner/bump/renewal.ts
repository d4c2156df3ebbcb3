import type { Api } from "./api.ts";
import type { Edit } from "./edit-scalars.ts";
import type { DigestSearch, FoundFile } from "./find-digest.ts";

/** What pins are renewed with. */
export interface BumpShop extends DigestSearch {
  readonly api: Api;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Instead of what the entries say. */
  readonly minAgeDays: number | undefined;
  readonly acceptRepublished: boolean;
}

/** What became of one tool. */
export interface Renewal {
  readonly tool: string;
  readonly pinned: string;
  /**
   * `held`: not to be renewed. `current`: nothing newer may be taken. `newer`: another version. `republished`: other
   * bytes of the same version, which somebody has accepted.
   */
  readonly state: "held" | "current" | "newer" | "republished";
  /** What is pinned then. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number | undefined;
  /** The release's page. */
  readonly link: string | undefined;
  readonly license: string | undefined;
  /** Those whose digests were found. */
  readonly files: readonly RenewedFile[];
  /** What a person should know of it: releases that wait, why it is held. */
  readonly notes: readonly string[];
  /** Empty when nothing is to change. */
  readonly edits: readonly Edit[];
}

/** A file with its new digest. */
export interface RenewedFile extends FoundFile {
  /** In bytes, of the file in the pinned release, where that is known. */
  readonly oldSize: number | undefined;
}
