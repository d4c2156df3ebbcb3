import type { Command } from "./command.ts";
import type { ConfirmAction, GuardAction } from "./guard.ts";
import type { SigningKey } from "./repository-pin.ts";
import type { Source } from "./task-facts.ts";
import type { PackedFile } from "./tool-pin.ts";

/** Owner and permission bits of something written. Root and root when left out. */
export interface Attributes {
  /** Four octal digits: "0644". */
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** A program to run. */
export interface RunAction {
  readonly kind: "run";
  readonly command: Command;
  /** Long: runs outside the connection under an id, is attached again after a lost connection, never run twice. */
  readonly detached?: boolean;
  /** Bound on its time in milliseconds; 120 000 when left out, 3 600 000 for a detached one. */
  readonly timeoutMs?: number;
  /**
   * Facts it can change, as `kind` or `kind:name` ("unit", "sysctl:vm.swappiness"). Left out, it can change
   * everything and the facts of every later use are read again.
   */
  readonly touches?: readonly string[];
}

/** A text file, put in place by rename. The parent must exist. */
export interface WriteAction extends Attributes {
  readonly kind: "write";
  readonly path: string;
  readonly text: string;
}

/** A file from beside the spec, put in place by rename. */
export interface UploadAction extends Attributes {
  readonly kind: "upload";
  readonly path: string;
  readonly source: Source;
}

/**
 * Pinned bytes, put in place by rename. They are fetched just before the flight that carries them: a plan or a run
 * with nothing to do downloads nothing.
 */
export interface FetchAction extends Attributes {
  readonly kind: "fetch";
  readonly path: string;
  readonly file: PackedFile;
}

/**
 * A key that is pinned by its fingerprints, put in place by rename. Like pinned bytes it is fetched just before the
 * flight that carries it, and one with other fingerprints is not carried at all.
 */
export interface FetchKeyAction extends Attributes {
  readonly kind: "fetch-key";
  readonly path: string;
  readonly key: SigningKey;
}

/** Everything a task can ask for. Data, so it can be printed, tested and refused. */
export type Action =
  | RunAction
  | WriteAction
  | UploadAction
  | FetchAction
  | FetchKeyAction
  | GuardAction
  | ConfirmAction
  /** Removes a file, a link, or a directory with all it holds; stops at mount points. */
  | { readonly kind: "remove"; readonly path: string }
  /** Makes a directory with its parents; `attributes` apply to the last one. */
  | ({ readonly kind: "directory"; readonly path: string } & Attributes)
  /** Makes or replaces a symbolic link, by rename. */
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  /** Sets what is given of mode, owner and group; the content stays. */
  | ({ readonly kind: "attributes"; readonly path: string } & Attributes);

/** What a machine can be told to do: all that tasks ask for, once it is at hand, and guards as programs. */
export type Errand = Exclude<Action, FetchAction | FetchKeyAction | GuardAction | ConfirmAction>;
