import type { FactAnswer, FactRequest } from "./facts.ts";
import type { Errand } from "./task.ts";

export type { Errand } from "./task.ts";

/** An action on its way to a machine, with what the engine adds. */
export interface Order {
  /** Unique in the run; a detached action is found again by it. */
  readonly id: string;
  readonly action: Errand;
  /**
   * Compare and set: the SHA-256 the plan was made on, `null` when the file was absent then; left out where
   * nothing was read. Differs on the machine: the order fails with `changedUnderneath`, nothing is written.
   */
  readonly expects?: string | null;
}

/** How one order ended. After the first that is not `done`, the later ones of the flight are `skipped`. */
export type Landing =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly code: number; readonly tail: string }
  | { readonly kind: "timed-out"; readonly tail: string }
  | { readonly kind: "changed-underneath" }
  | { readonly kind: "skipped" };

/** One round trip: orders in order, then facts. */
export interface Flight {
  readonly orders: readonly Order[];
  readonly facts: readonly FactRequest[];
}

/** What came back, in the order it was asked. */
export interface FlightResult {
  readonly landings: readonly Landing[];
  readonly answers: readonly FactAnswer[];
}

/** Called with each piece of what a running order prints: foreign text. */
export type OnOutput = (orderId: string, text: string) => void;

/**
 * A machine that is reached. One flight at a time. Rejects with `HostLost` when the connection broke: nothing
 * is known of the orders of that flight then, and `reconnect` comes next.
 */
export interface Host extends AsyncDisposable {
  /** For people: user@name:port. */
  readonly name: string;
  fly(flight: Flight, onOutput?: OnOutput): Promise<FlightResult>;
  /**
   * Comes back after `HostLost`, waits for detached orders that still run, and tells whether the machine was
   * booted anew meanwhile. Rejects with a `ProvisionError` when the machine stays away.
   */
  reconnect(onOutput?: OnOutput): Promise<{ readonly rebooted: boolean }>;
}

/** The connection broke underneath a flight. */
export class HostLost extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "HostLost";
  }
}
