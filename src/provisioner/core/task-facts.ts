import type { Command, Output } from "./command.ts";
import type { PinnedDriver } from "./driver-pin.ts";
import type { PinnedRepository } from "./repository-pin.ts";
import type { SecretSource } from "./secret.ts";
import type { PinnedTool } from "./tool-pin.ts";

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
