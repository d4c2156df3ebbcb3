import { createHash } from "node:crypto";

import type { Static, TSchema } from "typebox";

import type { Action, Attributes, Errand, RunAction, WriteAction } from "./action.ts";
import type { Facts, FileStat } from "./task-facts.ts";

export type * from "./action.ts";
export { atLeastOne, exactlyOne, presentOrAbsent } from "./choices.ts";
export type * from "./command.ts";
export { osReleasePath, readDistribution } from "./distribution.ts";
export type { DriverPin, PinnedDriver } from "./driver-pin.ts";
export { type Guard, guarded, guardPlace } from "./guard.ts";
export { traitsOf } from "./traits.ts";
export { absolutePath, accountName } from "./patterns.ts";
export { otherThanPinned, plainFingerprint, readKeys } from "./openpgp.ts";
export type { PinnedRepository, SigningKey } from "./repository-pin.ts";
export { secretOf } from "./secret.ts";
export type { SecretSource } from "./secret.ts";
export type * from "./task-facts.ts";
export type { PinnedTool, ToolArtifact, ToolPin } from "./tool-pin.ts";

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

/** What an example may have to know of the scratch machine. */
export interface TrialMachine {
  /** Hardware address of its network card, in lower case. */
  readonly mac: string;
}

/** What an example needs to be proved on a machine that has nothing but its base. */
export interface ExampleTrial<Params> {
  /** Uses that come before it, written as in a spec: `{ apt: { present: ["zsh"] } }`. */
  readonly given?: readonly Readonly<Record<string, unknown>>[];
  /** Proved in its stead: an example may name servers that nobody has. */
  readonly instead?: Params;
  /** The same, where it depends on the machine. */
  readonly insteadOn?: (machine: TrialMachine) => Params;
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
