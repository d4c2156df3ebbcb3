import type { Item } from "../items.ts";
import type { TimeOptions } from "../contenders.ts";
import type { Action } from "./cells.ts";
import type { Fleet } from "./fleet.ts";

/** What a contender is given to do. */
export interface Order {
  readonly action: Action;
  readonly items: readonly Item[];
  readonly fleet: Fleet;
  /** A folder of its own, for this run. */
  readonly folder: string;
  /** The project's folder. */
  readonly root: string;
  /** How many items are not as wanted before a check. */
  readonly drifted: number;
}

/** One run of a contender, ready to be started. */
export interface Launch {
  readonly argv: readonly [string, ...string[]];
  readonly options?: Pick<TimeOptions, "env">;
  /** Throws unless what it said of every machine is what it ought to say. */
  judge(said: { readonly stdout: string; readonly stderr: string }): Promise<void>;
  /** Ends what it leaves behind. */
  cleanUp?(): Promise<void>;
}

/** Somebody who can do it. */
export interface Contender {
  readonly name: string;
  /** Writes down what it works from; not measured. */
  prepare(order: Order): Promise<Launch>;
}

/** Options of ssh that leave the user's own settings out, as ssh_config has them. */
export const plainSsh: Readonly<Record<string, string>> = {
  BatchMode: "yes",
  GlobalKnownHostsFile: "/dev/null",
  IdentitiesOnly: "yes",
  IdentityAgent: "none",
};
