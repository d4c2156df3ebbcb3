import { canTouch } from "./effects.ts";
import type { FactBook } from "./fact-book.ts";
import { HostLost, type Landing, type Order } from "./host.ts";
import type { Link } from "./link.ts";
import type { OpenGuards } from "./open-guards.ts";
import type { Leg } from "./orders.ts";
import type { Run } from "./run.ts";

/** A leg with its orders as they can be sent, one for each of those planned. */
export interface LadenLeg extends Leg {
  readonly laden: readonly Order[];
}

interface Tools {
  readonly link: Link;
  readonly book: FactBook;
  readonly run: Run;
  readonly guards: OpenGuards;
}

/**
 * Sends a leg and writes down what came with it; `undefined` when the connection broke and is there again. What has
 * to be confirmed is confirmed in a flight of its own, over a new connection.
 */
export async function flyLeg(
  leg: LadenLeg,
  times: number,
  { link, book, run, guards }: Tools,
): Promise<readonly Landing[] | undefined> {
  for (const { use } of leg.views) run.report({ kind: "use-started", step: run.step, use: use.id });
  try {
    const landings: Landing[] = [];
    for (const stage of stagesOf(leg)) {
      guards.arming(stage.planned);
      if (stage.isConfirming) await link.renew(guards.patienceMs());
      const facts = stage.isLast ? leg.facts : [];
      const result = await link.fly({ orders: stage.laden, facts });
      landings.push(...result.landings);
      guards.landed(stage.planned, result.landings);
      // Forget first: the facts of this flight were read after its orders.
      book.forget((request) => stage.planned.some(({ order }) => canTouch(order.action, request)));
      book.learn(facts, result.answers);
      if (result.landings.some(({ kind }) => kind !== "done")) break;
    }
    return landings;
  } catch (error) {
    if (!(error instanceof HostLost)) throw error;
    await link.comeBack(error, times, guards.patienceMs());
    book.forget();
    return undefined;
  }
}

interface Stage {
  readonly planned: Leg["orders"];
  readonly laden: readonly Order[];
  /** It begins with a confirmation. */
  readonly isConfirming: boolean;
  readonly isLast: boolean;
}

/** Cuts a leg in front of each confirmation. A leg without any is one stage. */
function stagesOf({ orders, laden }: LadenLeg): readonly Stage[] {
  const cuts = orders.flatMap(({ order }, at) => (at > 0 && order.action.kind === "confirm" ? [at] : []));
  return [0, ...cuts].map((from, index) => {
    const to = cuts[index] ?? orders.length;
    const planned = orders.slice(from, to);
    return {
      planned,
      laden: laden.slice(from, to),
      isConfirming: planned[0]?.order.action.kind === "confirm",
      isLast: index === cuts.length,
    };
  });
}
