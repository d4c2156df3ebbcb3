import { armRun, confirmRun } from "./guard-script.ts";
import type { Errand, Order } from "./host.ts";
import type { View } from "./look.ts";
import type { Leg } from "./orders.ts";
import type { Run } from "./run.ts";
import type { Sources } from "./sources.ts";
import type { Action } from "./task.ts";

/** The orders of a leg as they can be sent, or the use whose bytes are not to be had. */
export type Laden =
  | { readonly kind: "laden"; readonly orders: readonly Order[] }
  | { readonly kind: "lacking"; readonly view: View; readonly reason: unknown };

/** Where what is laden comes from. */
export interface Stock {
  readonly sources: Sources;
  readonly run: Run;
  /** Names this piece of work to the guards that it arms. */
  readonly token: string;
}

/** Brings to hand what the orders of a leg carry. Only now: what is not sent is not fetched. */
export async function lade({ orders }: Leg, { sources, run, token }: Stock): Promise<Laden> {
  const lacking: { readonly view: View; readonly reason: unknown }[] = [];
  const errand = async (action: Action): Promise<Errand> => {
    switch (action.kind) {
      case "fetch":
        return sources.obtain(action, run);
      case "fetch-key":
        return sources.obtainKey(action, run);
      case "guard":
        return armRun(action, token);
      case "confirm":
        return confirmRun(action);
      default:
        return action;
    }
  };
  const ready = await Promise.all(
    orders.map(async ({ view, order }): Promise<readonly Order[]> => {
      try {
        return [{ ...order, action: await errand(order.action) }];
      } catch (reason) {
        lacking.push({ view, reason });
        return [];
      }
    }),
  );
  run.signal.throwIfAborted();
  const [first] = lacking;
  return first ? { kind: "lacking", ...first } : { kind: "laden", orders: ready.flat() };
}
