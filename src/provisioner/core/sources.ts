import type { Run } from "./run.ts";
import type { PinnedDriver } from "./driver-pin.ts";
import type { PinnedRepository } from "./repository-pin.ts";
import type { SecretSource } from "./secret.ts";
import type { FetchAction, FetchKeyAction, RunAction, Source, UploadAction, WriteAction } from "./task.ts";
import type { PinnedTool } from "./tool-pin.ts";

/** What `read` can ask of the controller: files beside the spec, templates, what versions.yaml pins, and secrets. */
export interface Sources {
  source(path: string): Promise<Source>;
  /** The whole of a text file; throws like `source` when it is not there. */
  text(path: string): Promise<string>;
  template(name: string, variables: Readonly<Record<string, unknown>>): string;
  /** Throws a `Refusal` for a name that versions.yaml lacks. */
  tool(name: string): Promise<PinnedTool>;
  /** Throws a `Refusal` for a name that versions.yaml lacks. */
  repository(name: string): Promise<PinnedRepository>;
  /** Throws a `Refusal` for a name that versions.yaml lacks. */
  driver(name: string): Promise<PinnedDriver>;
  /** Throws SECRET_UNAVAILABLE. Whoever answers sees to it that nothing of a secret is ever shown. */
  secret(source: SecretSource): Promise<string>;
  /**
   * For the engine alone, when a flight is about to carry the bytes: fetches what is not here yet. Gives the order
   * that puts them in place: a file to send, or a program by which the target downloads them itself.
   */
  obtain(action: FetchAction, run: Run): Promise<UploadAction | RunAction>;
  /** The same for a key; throws for one that is not the pinned one. */
  obtainKey(action: FetchKeyAction, run: Run): Promise<WriteAction>;
}

/** What of them comes from versions.yaml. */
export type PinSources = Pick<Sources, "tool" | "driver" | "repository" | "obtain" | "obtainKey">;
