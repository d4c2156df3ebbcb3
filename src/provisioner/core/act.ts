import { describe } from "./describe.ts";
import { canTouch } from "./effects.ts";
import { ProvisionError } from "./errors.ts";
import type { UseOutcome } from "./events.ts";
import type { FactBook } from "./fact-book.ts";
import { HostLost, type FlightResult, type Landing } from "./host.ts";
import type { Link } from "./link.ts";
import { fresh, look, settled, type View } from "./look.ts";
import { nextLeg, reach, type Leg } from "./orders.ts";
import type { Use } from "./recipe.ts";
import { unknownFact } from "./check.ts";
import type { Run } from "./run.ts";

interface Tools {
  readonly link: Link;
  readonly book: FactBook;
  readonly run: Run;
  /** The second round speaks only of what it acts on. */
  readonly again?: boolean;
}

/**
 * Settles the uses in order, each against the state the earlier ones left. Gives those that changed something.
 * A use that fails stops those behind it.
 */
export async function act(planned: readonly View[], tools: Tools): Promise<Set<Use>> {
  const { link, book, run } = tools;
  const views = [...planned];
  const changed = new Set<Use>();
  // What was under way when a connection broke: had it worked, the fresh read finds nothing left to do.
  const tried = new Map<Use, View>();

  function end(view: View, outcome: UseOutcome, ms: number): void {
    const { use, changes } = tried.get(view.use) ?? view;
    if (outcome === "changed") changed.add(use);
    if (outcome === "ok" && tools.again) return;
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
      end(view, tried.has(view.use) ? "changed" : "ok", 0);
      at += 1;
      continue;
    }
    const leg = nextLeg(views.slice(at), book);
    const started = run.now();
    for (const { use } of leg.views) run.report({ kind: "use-started", step: run.step, use: use.id });
    let result: FlightResult;
    try {
      result = await link.fly({ orders: leg.orders.map(({ order }) => order), facts: leg.facts });
    } catch (error) {
      if (!(error instanceof HostLost)) throw error;
      for (const sent of leg.views) if (!settled(sent)) tried.set(sent.use, sent);
      await link.comeBack(error);
      book.forget();
      continue;
    }
    // Forget first: the facts of this flight were read after its orders.
    forgetTouched(leg, book);
    book.learn(leg.facts, result.answers);
    const failure = leg.orders.findIndex((_, index) => result.landings[index]?.kind !== "done");
    const failing = leg.orders[failure];
    const share = (run.now() - started) / Math.max(1, leg.views.filter((each) => !settled(each)).length);
    if (failing) {
      const stop = leg.views.indexOf(failing.view);
      for (const done of leg.views.slice(0, stop)) end(done, settled(done) ? "ok" : "changed", share);
      end(failing.view, "failed", share);
      skip(views.slice(at + stop + 1), end);
      throw failed(failing, result.landings[failure]);
    }
    for (const done of leg.views) end(done, settled(done) ? "ok" : "changed", settled(done) ? 0 : share);
    at += leg.views.length;
  }
  return changed;
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

function forgetTouched({ orders }: Leg, book: FactBook): void {
  book.forget((request) => orders.some(({ order }) => canTouch(order.action, request)));
}

function failed({ view, order }: Leg["orders"][number], landing: Landing | undefined): ProvisionError {
  const use = view.use.id;
  const options = { where: view.use.where };
  const action = describe(order.action);
  switch (landing?.kind) {
    case "failed":
      return new ProvisionError(
        "ACTION_FAILED",
        { use, action, code: landing.code, tail: landing.tail },
        options,
      );
    case "timed-out":
      return new ProvisionError("ACTION_TIMED_OUT", { use, action, tail: landing.tail }, options);
    case "changed-underneath": {
      const path = "path" in order.action ? order.action.path : action;
      return new ProvisionError("CHANGED_UNDERNEATH", { use, path }, options);
    }
    case "done":
    case "skipped":
    case undefined:
      throw new Error(`An order of ${use} ended as ${landing?.kind ?? "nothing"}, behind none that failed`);
    default:
      return landing satisfies never;
  }
}
