import { createHash } from "node:crypto";

import type { Static, TSchema } from "typebox";

import type { PinnedDriver } from "./driver-pin.ts";
import type { ConfirmAction, GuardAction } from "./guard.ts";
import type { PinnedRepository, SigningKey } from "./repository-pin.ts";
import type { SecretSource } from "./secret.ts";
import type { PackedFile, PinnedTool } from "./tool-pin.ts";

export { atLeastOne, exactlyOne, presentOrAbsent } from "./choices.ts";
export { osReleasePath, readDistribution } from "./distribution.ts";
export type { DriverPin, PinnedDriver } from "./driver-pin.ts";
export { type Guard, guarded, guardPlace } from "./guard.ts";
export { traitsOf } from "./traits.ts";
export { absolutePath, accountName } from "./patterns.ts";
export { otherThanPinned, plainFingerprint, readKeys } from "./openpgp.ts";
export type { PinnedRepository, SigningKey } from "./repository-pin.ts";
export { secretOf } from "./secret.ts";
export type { SecretSource } from "./secret.ts";
export type { PinnedTool, ToolArtifact, ToolPin } from "./tool-pin.ts";

/** A program and its arguments. Never a shell line: quoting is the host's work. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  /** Exit codes that mean "ran as meant"; 0 alone when left out. */
  readonly accept?: readonly number[];
  /** Text for the program's standard input; empty when left out. */
  readonly stdin?: string;
  /** Variables added to the worker's own (LC_ALL=C, a fixed PATH, HOME of root). */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program printed. `stdout` and `stderr` are UTF-8 text, foreign: never trusted, never run. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One path, not followed when it is a symbolic link (lstat). */
export interface FileStat {
  readonly type: "file" | "directory" | "symlink" | "other";
  /** Permission bits as four octal digits: "0644". */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  /** In bytes. */
  readonly size: number;
  /** Where a symbolic link points, as written in it. */
  readonly target: string | undefined;
}

/** A systemd unit as `systemctl show` prints it. */
export interface UnitState {
  /** LoadState: loaded, not-found, masked, error. */
  readonly load: string;
  /** ActiveState: active, inactive, failed, activating. */
  readonly active: string;
  /** UnitFileState: enabled, disabled, static, masked, …; empty when there is no unit file. */
  readonly enabled: string;
  /** NeedDaemonReload: the file on disk is newer than what systemd has read. */
  readonly needsReload: boolean;
}

/** A line of passwd, with the groups that name the user. */
export interface UserEntry {
  readonly uid: number;
  /** Name of the primary group. */
  readonly group: string;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
  /** Supplementary groups, sorted. */
  readonly groups: readonly string[];
}

/** A line of group. */
export interface GroupEntry {
  readonly gid: number;
  readonly members: readonly string[];
}

/** A line of /proc/self/mountinfo: what is mounted last on a mount point. */
export interface MountEntry {
  readonly source: string;
  readonly fsType: string;
  /** Options of the mount and of its file system, without repeats. */
  readonly options: readonly string[];
}

/** A file beside the spec, on the controller. */
export interface Source {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

/**
 * The machine as `read` may see it: looking only. What all tasks wait for at one moment travels as one flight,
 * one process per kind of fact. A fact is known, absent (`undefined`), or it cannot be known: then the promise
 * rejects with `FactUnknown`. Unknown is never absent.
 */
export interface Facts {
  /** Content of a regular file (links followed), as UTF-8 text. For /proc and /sys use `sysctl` or `query`. */
  file(path: string): Promise<string | undefined>;
  /** The path itself, links not followed. */
  stat(path: string): Promise<FileStat | undefined>;
  /** SHA-256 of a regular file (links followed), lower-case hex. */
  digest(path: string): Promise<string | undefined>;
  /** Version of an installed Debian package; absent unless dpkg's status is `installed`. */
  package(name: string): Promise<string | undefined>;
  /** A kernel setting by its dotted name, as the kernel prints it. */
  sysctl(key: string): Promise<string | undefined>;
  /** A systemd unit; `load: "not-found"` is a known state, not an absent one. */
  unit(name: string): Promise<UnitState>;
  user(name: string): Promise<UserEntry | undefined>;
  group(name: string): Promise<GroupEntry | undefined>;
  /** What is mounted at a mount point. */
  mount(target: string): Promise<MountEntry | undefined>;
  /** True when the kernel has the module, loaded or built in. */
  module(name: string): Promise<boolean>;
  /** Runs a program that only looks. A missing program or a time-out is unknown; any exit code is known. */
  query(command: Command): Promise<Output>;
  /** A file beside the spec: its digest and size. */
  source(path: string): Promise<Source>;
  /** The whole text of a file beside the spec. */
  sourceText(path: string): Promise<string>;
  /** A template of `templates/`, filled in. A name the variables lack is an error. */
  template(name: string, variables: Readonly<Record<string, unknown>>): Promise<string>;
  /** A tool of versions.yaml. Known without asking the machine. */
  tool(name: string): Promise<PinnedTool>;
  /** A package repository of versions.yaml. Known without asking the machine; its key is not fetched for it. */
  repository(name: string): Promise<PinnedRepository>;
  /** A driver of versions.yaml. Known without asking the machine. */
  driver(name: string): Promise<PinnedDriver>;
  /**
   * A secret, as its source on this machine has it, to the last newline. For the text of a write and for standard
   * input alone: never for argv, which every user of the machine can list, nor for what a change says of itself.
   */
  secret(source: SecretSource): Promise<string>;
}

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

/** One difference between what is and what is wanted, and what closes it. */
export interface Change {
  readonly what: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly actions: readonly Action[];
}

/** A use that is shown in the docs, and proved by `provision test`. */
export interface Example<Params> {
  readonly title: string;
  readonly params: Params;
  /** How it is proved on a scratch machine, where it cannot be proved as it stands. */
  readonly trial?: ExampleTrial<Params>;
}

/** What an example needs to be proved on a machine that has nothing but its base. */
export interface ExampleTrial<Params> {
  /** Uses that come before it, written as in a spec: `{ apt: { present: ["zsh"] } }`. */
  readonly given?: readonly Readonly<Record<string, unknown>>[];
  /** Proved in its stead: an example may name servers that nobody has. */
  readonly instead?: Params;
  /** What spoils it, where the task's own `spoil` does not fit. */
  readonly spoil?: readonly Errand[];
  /** The only bases it is proved on; `because` says why it is not on others. */
  readonly only?: { readonly bases: readonly string[]; readonly because: string };
  /** Why it is proved nowhere. */
  readonly skip?: string;
}

/** A kind of thing provision can settle on a machine. */
export interface Task<Schema extends TSchema = TSchema, State = unknown> {
  readonly name: string;
  /** One sentence for the docs. */
  readonly summary: string;
  readonly schema: Schema;
  readonly examples: readonly Example<Static<Schema>>[];
  /** What one use owns. Two uses of one subject in a spec is an error. */
  subject(params: Static<Schema>): string;
  /** Paths that one use alone decides on, whole. Two uses of one path, of whatever tasks, are an error too. */
  owns?(params: Static<Schema>): readonly string[];
  /**
   * What of this use is one person's or one machine's: "the user alice". No image may hold it, so it is refused where
   * an image is built, and not where a host is managed. The paths it owns are looked at without this.
   */
  identity?(params: Static<Schema>): string | undefined;
  /** Its uses only take away: at the paths they own there is nothing afterwards. */
  readonly takesAway?: true;
  /**
   * For `provision test`: what undoes a use that is settled, so that the next run has to notice and mend it. Left out,
   * or `undefined`, what it owns is removed and then altered.
   */
  spoil?(params: Static<Schema>): readonly Errand[] | undefined;
  read(facts: Facts, params: Static<Schema>): Promise<State>;
  /** Pure. Empty when the state is as wanted. */
  plan(params: Static<Schema>, state: State): readonly Change[];
}

/** Ties the types of a task's schema, state and functions together. */
export function defineTask<Schema extends TSchema, State>(task: Task<Schema, State>): Task<Schema, State> {
  return task;
}

/** A program to run that can change anything. */
export function run(...argv: [string, ...string[]]): RunAction {
  return { kind: "run", command: { argv } };
}

/** A text file to put in place; mode 0644, root's, unless said otherwise. */
export function write(path: string, text: string, attributes: Attributes = {}): WriteAction {
  return { kind: "write", path, text, ...attributes };
}

/** Keeps the changes whose `from` is not their `to`. */
export function differences(...changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ from, to }) => from !== to);
}

/**
 * Thrown by `read` or `plan` for what must not be done: parameters that contradict each other, or something in
 * the way that would be lost. The message reads on after "Cannot settle <use>: " and ends with the way out.
 */
export class Refusal extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Refusal";
  }
}

/** What `attributes` asks of something that is there already; nothing when it is so. */
export function attributeDifferences(path: string, wanted: Attributes, found: FileStat): readonly Change[] {
  const told = ({ owner, group, mode }: Attributes) => `${owner}:${group} ${mode}`;
  const { mode = found.mode, owner = found.owner, group = found.group } = wanted;
  return differences({
    what: `${path} attributes`,
    from: told(found),
    to: told({ mode, owner, group }),
    // All three in one action: chown clears the set-id bits that a mode may have.
    actions: [{ kind: "attributes", path, mode, owner, group }],
  });
}

/** The digest of a text or of bytes, in lower-case hex: what the fact `digest` says of a file that holds it. */
export function digestOf(data: string | Uint8Array, algorithm: "sha1" | "sha256" = "sha256"): string {
  return createHash(algorithm).update(data).digest("hex");
}
