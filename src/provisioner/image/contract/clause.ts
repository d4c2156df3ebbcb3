import type { FactRequest } from "../../core/facts.ts";
import type { ImageTree } from "../image-tree.ts";

/** When an image is looked at: its files as they lie there, then a machine of it that boots. */
export const moments = ["files", "first boot", "reboot 1", "reboot 2"] as const;

export type Moment = (typeof moments)[number];

/** One promise of a golden image, with the looks that hold it to it. Each gives what speaks against it. */
export interface Clause {
  /** Stays when the wording changes. */
  readonly id: string;
  readonly what: string;
  /** Promised only by images that claim a read-only root. */
  readonly readOnlyRoot?: true;
  /** Offline, without booting anything. */
  readonly files?: (tree: ImageTree) => Promise<readonly string[]>;
  /** On a machine of the image, at each boot. */
  readonly guest?: GuestCheck;
}

/** A look at a running machine: facts that travel with those of all other clauses, then a judgement. */
export interface GuestCheck {
  /** The first boot that can show it: 1 for what only a reboot tells. */
  readonly from: 0 | 1;
  readonly asks: (visit: Visit) => readonly FactRequest[];
  /** `answers` in the order of `asks`; absent facts are `undefined`. */
  readonly against: (
    answers: readonly unknown[],
    visit: Visit,
    earlier: readonly unknown[] | undefined,
  ) => readonly string[];
}

/** One boot of a machine, under the identity it was given. */
export interface Visit {
  /** 0, then one more with each reboot. */
  readonly boot: number;
  readonly identity: Identity;
}

/** Who a verification boots the image as. */
export interface Identity {
  readonly user: string;
  readonly hostName: string;
  /** The host key that was handed in: type and blob. */
  readonly hostKey: string;
  /** The key that logs in: type and blob, perhaps a comment. */
  readonly loginKey: string;
}

/** What became of one promise at one moment; held when nothing speaks against it. */
export interface Assertion {
  readonly promise: string;
  readonly what: string;
  readonly against: readonly string[];
}

/** A complaint when something is not as promised: what was found instead. */
export function unless(held: boolean, found: string): readonly string[] {
  return held ? [] : [found === "" ? "nothing" : found];
}
