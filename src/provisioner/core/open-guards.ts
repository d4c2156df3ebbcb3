import { randomUUID } from "node:crypto";

import { notTakenBackCode, takeBackRun, takenBackCode } from "./guard-script.ts";
import { HostLost, type Landing } from "./host.ts";
import type { Link } from "./link.ts";
import type { Leg } from "./orders.ts";
import type { Run } from "./run.ts";

/** After its time a machine may still be busy with taking a change back. */
const SPARE_MS = 60_000;

interface Open {
  readonly use: string;
  readonly seconds: number;
}

/** The guards that a run has armed, or may have, and has not confirmed. */
export class OpenGuards {
  readonly #link: Link;
  readonly #run: Run;
  readonly #open = new Map<string, Open>();
  /** Those that nobody had sent before the flight under way. */
  #first = new Set<string>();

  constructor({ link, run }: { readonly link: Link; readonly run: Run }) {
    this.#link = link;
    this.#run = run;
  }

  /** These orders are about to be sent; from then on, nobody knows. */
  arming(orders: Leg["orders"]): void {
    this.#first = new Set();
    for (const { view, order } of orders) {
      const { action } = order;
      if (action.kind !== "guard" && action.kind !== "confirm") continue;
      if (!this.#open.has(action.name)) this.#first.add(action.name);
      this.#open.set(action.name, { use: view.use.id, seconds: action.seconds });
    }
  }

  /** What the machine says of them. One that could not be armed is none. */
  landed(orders: Leg["orders"], landings: readonly Landing[]): void {
    for (const [at, { order }] of orders.entries()) {
      const { action } = order;
      const landing = landings[at];
      if (action.kind === "guard" && landing?.kind !== "done" && this.#first.has(action.name))
        this.#open.delete(action.name);
      const isConfirmed = action.kind === "confirm" && landing?.kind === "done";
      if ((action.kind === "guard" || action.kind === "confirm") && (isConfirmed || isTakenBack(landing)))
        this.#open.delete(action.name);
    }
  }

  /** So long whatever keeps us from the host may still pass: then it has taken back all that is not confirmed. */
  patienceMs(): number {
    const times = [...this.#open.values()].map(({ seconds }) => seconds * 1000 + SPARE_MS);
    return Math.max(0, ...times);
  }

  /** A use failed halfway: what it did is taken back now, and not when its time is over. */
  async takeBack({ view }: Leg["orders"][number]): Promise<void> {
    for (const [name, { use }] of this.#open) {
      if (use !== view.use.id) continue;
      const landing = await this.#order(name);
      if (landing?.kind !== "done") continue;
      this.#open.delete(name);
      this.#run.note(`What ${use} had changed is taken back`, "warning");
    }
  }

  /** Says what is left open. */
  tell(): void {
    for (const { use, seconds } of this.#open.values()) {
      this.#run.note(
        `${use} is not confirmed: the machine takes its change back by itself, ${seconds} s after it began`,
        "warning",
      );
    }
  }

  async #order(name: string): Promise<Landing | undefined> {
    try {
      const orders = [{ id: randomUUID(), action: takeBackRun(name) }];
      return (await this.#link.fly({ orders, facts: [] })).landings[0];
    } catch (error) {
      // It may have cut the line, and goes on without us.
      if (error instanceof HostLost) return undefined;
      throw error;
    }
  }
}

function isTakenBack(landing: Landing | undefined): boolean {
  return landing?.kind === "failed" && [takenBackCode, notTakenBackCode].includes(landing.code);
}
