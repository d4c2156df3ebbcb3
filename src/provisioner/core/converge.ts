import { act } from "./act.ts";
import { reportPlan, unknownFact } from "./check.ts";
import { ProvisionError } from "./errors.ts";
import { FactBook } from "./fact-book.ts";
import type { Host } from "./host.ts";
import { openLink } from "./link.ts";
import { lookAll, settled, type View } from "./look.ts";
import type { Recipe } from "./recipe.ts";
import type { Run } from "./run.ts";
import type { Sources } from "./sources.ts";

/** What a convergence works with. */
export interface Convergence {
  readonly host: Host;
  readonly run: Run;
  /** Stop at the plan: nothing on the machine is touched. */
  readonly check: boolean;
  readonly sources: Sources;
}

/** What came of it. */
export interface Summary {
  /** Uses that are meant for a machine of this distribution. */
  readonly uses: number;
  /** Uses that changed the machine, or would. */
  readonly changed: number;
  /** With `check`: uses that stand behind a change. */
  readonly mayChange: number;
  /** Round trips for reading and acting; a run with nothing to do has one. */
  readonly flights: number;
  /** Facts asked for, all flights together. */
  readonly facts: number;
}

/**
 * Brings a machine to what the recipe says: reads everything, plans, acts in order on fresh eyes, then reads
 * everything again. What is left then gets one more round; what is left after that is TASK_NOT_SETTLED.
 */
export async function converge(recipe: Recipe, { host, run, check, sources }: Convergence): Promise<Summary> {
  const link = openLink(host, run);
  const book = new FactBook(async (facts) => (await link.ask({ facts })).answers, sources);
  const changed = new Set<string>();
  let views = await lookAll(recipe, book);
  const summary = (mayChange: number): Summary => ({
    uses: views.filter(({ applies }) => applies).length,
    changed: changed.size,
    mayChange,
    flights: link.flights,
    facts: link.facts,
  });

  if (check) {
    for (const { use, changes } of views) if (changes.length > 0) changed.add(use.id);
    return summary(reportPlan(views, run));
  }
  for (const use of await act(views, { link, book, run, sources })) changed.add(use.id);
  if (changed.size === 0) return summary(0);

  views = await readAgain(recipe, book);
  if (!views.every(settled)) {
    run.note(`Not settled after the first round: ${names(views)}; one more round`, "warning");
    for (const use of await act(views, { link, book, run, sources, again: true })) changed.add(use.id);
    views = await readAgain(recipe, book);
  }
  const left = views.find((view) => !settled(view));
  if (left) throw notSettled(left);
  return summary(0);
}

function readAgain(recipe: Recipe, book: FactBook): Promise<View[]> {
  book.forget();
  return lookAll(recipe, book);
}

function names(views: readonly View[]): string {
  return views
    .filter((view) => !settled(view))
    .map(({ use }) => use.id)
    .join(", ");
}

function notSettled(view: View): ProvisionError {
  const [change] = view.changes;
  if (!change) return unknownFact(view);
  const { what, from, to } = change;
  const facts = { use: view.use.id, what, wanted: shown(to), got: shown(from) };
  return new ProvisionError("TASK_NOT_SETTLED", facts, { where: view.use.where });
}

function shown(value: string | undefined): string {
  if (value === undefined) return "absent";
  return JSON.stringify(value.length > 400 ? `${value.slice(0, 400)}…` : value);
}
