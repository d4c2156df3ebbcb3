import { randomUUID } from "node:crypto";

import { atUse } from "./at-use.ts";
import { unknownFact } from "./check.ts";
import type { UseOutcome } from "./events.ts";
import type { FactBook } from "./fact-book.ts";
import { failed } from "./failed-order.ts";
import { flyLeg } from "./fly-leg.ts";
import type { Link } from "./link.ts";
import { fresh, look, settled, type View } from "./look.ts";
import { lade } from "./obtain.ts";
import { OpenGuards } from "./open-guards.ts";
import { nextLeg, reach } from "./orders.ts";
import type { Use } from "./recipe.ts";
import type { Run } from "./run.ts";
import type { Sources } from "./sources.ts";

interface Tools {
  readonly link: Link;
  readonly book: FactBook;
  readonly run: Run;
  readonly sources: Sources;
  /** The second round speaks only of what it acts on. */
  readonly again?: boolean;
}

/**
 * Settles the uses in order, each against the state the earlier ones left. Gives those that changed something.
 * A use that fails stops those behind it.
 */
export async function act(planned: readonly View[], tools: Tools): Promise<Set<Use>> {
  const guards = new OpenGuards(tools);
  try {
    return await actInOrder(planned, tools, guards);
  } finally {
    guards.tell();
  }
}

async function actInOrder(planned: readonly View[], tools: Tools, guards: OpenGuards): Promise<Set<Use>> {
  const { book, run } = tools;
  const stock = { ...tools, token: randomUUID() };
  const views = [...planned];
  const changed = new Set<Use>();
  // What was under way when a connection broke: had it worked, the fresh read finds nothing left to do.
  const tried = new Map<Use, { readonly view: View; readonly times: number }>();

  function end(view: View, outcome: UseOutcome, ms: number): void {
    const { use, changes } = tried.get(view.use)?.view ?? view;
    if (outcome === "changed") changed.add(use);
    if ((outcome === "ok" || outcome === "does-not-apply") && tools.again) return;
    run.report({ kind: "use-ended", step: run.step, use: use.id, outcome, changes, ms });
  }

  for (let at = 0; at < views.length;) {
    await refresh(views, at, book);
    const view = views[at];
    if (!view) break;
    if (view.unknown) {
      end(view, "failed", 0);
      skip(views.slice(at + 1), end);
      throw unknownFact(view);
    }
    if (settled(view)) {
      end(view, tried.has(view.use) ? "changed" : quiet(view), 0);
      at += 1;
      continue;
    }
    const leg = nextLeg(views.slice(at), book);
    const started = run.now();
    const times = 1 + Math.max(0, ...leg.views.map(({ use }) => tried.get(use)?.times ?? 0));
    const laden = await lade(leg, stock);
    if (laden.kind === "lacking") {
      end(laden.view, "failed", run.now() - started);
      const others = views.slice(at).filter((each) => each !== laden.view);
      skip(others, end);
      throw atUse(laden.view.use, laden.reason);
    }
    const landings = await flyLeg({ ...leg, laden: laden.orders }, times, { ...tools, guards });
    if (!landings) {
      for (const sent of leg.views) if (!settled(sent)) tried.set(sent.use, { view: sent, times });
      continue;
    }
    const share = (run.now() - started) / Math.max(1, leg.views.filter((each) => !settled(each)).length);
    const failure = leg.orders.findIndex((_, index) => landings[index]?.kind !== "done");
    const failing = leg.orders[failure];
    const landed = failing ? leg.views.slice(0, leg.views.indexOf(failing.view)) : leg.views;
    for (const done of landed) end(done, settled(done) ? quiet(done) : "changed", settled(done) ? 0 : share);
    at += landed.length;
    if (!failing) continue;
    end(failing.view, "failed", share);
    skip(views.slice(at + 1), end);
    await guards.takeBack(failing);
    throw failed(failing, landings[failure]);
  }
  return changed;
}

/** The outcome of a use with nothing to do. */
function quiet({ applies }: View): UseOutcome {
  return applies ? "ok" : "does-not-apply";
}

/** Plans anew every view of the next leg whose facts were forgotten or read again: one flight at the most. */
async function refresh(views: View[], at: number, book: FactBook): Promise<void> {
  const leg = views.slice(at, at + reach(views.slice(at)));
  const anew = leg.map(async (view) => (fresh(view, book) ? view : look(view.use, book)));
  views.splice(at, leg.length, ...(await Promise.all(anew)));
}

function skip(views: readonly View[], end: (view: View, outcome: UseOutcome, ms: number) => void): void {
  for (const view of views) end(view, "skipped", 0);
}
