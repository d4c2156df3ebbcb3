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

/** Brings to hand what the orders of a leg carry. Only now: what is not sent is not fetched. */
export async function lade({ orders }: Leg, sources: Sources, run: Run): Promise<Laden> {
  const lacking: { readonly view: View; readonly reason: unknown }[] = [];
  const errand = async (action: Action): Promise<Errand> => {
    if (action.kind === "fetch") return sources.obtain(action, run);
    return action.kind === "fetch-key" ? sources.obtainKey(action, run) : action;
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
