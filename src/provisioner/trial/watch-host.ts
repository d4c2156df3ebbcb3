import { factKey, type FactAnswer, type FactRequest } from "../core/facts.ts";
import type { Host, Order } from "../core/host.ts";

/** A host that remembers what it was asked and told. */
export interface WatchedHost extends Host {
  /** Each fact that was asked for, with its last answer, by key. */
  readonly asked: ReadonlyMap<string, { readonly request: FactRequest; readonly answer: FactAnswer }>;
  readonly told: readonly Order[];
}

/** Watches a host; whoever disposes of this one leaves the other as it is. */
export function watchHost(host: Host): WatchedHost {
  const asked = new Map<string, { request: FactRequest; answer: FactAnswer }>();
  const told: Order[] = [];
  return {
    name: host.name,
    asked,
    told,
    async fly(flight, onOutput) {
      told.push(...flight.orders);
      const result = await host.fly(flight, onOutput);
      flight.facts.forEach((request, index) => {
        const answer = result.answers[index] ?? { unknown: "the machine did not answer" };
        asked.set(factKey(request), { request, answer });
      });
      return result;
    },
    reconnect: (onOutput) => host.reconnect(onOutput),
    [Symbol.asyncDispose]: async () => {},
  };
}
