import type { Asked, FactBook } from "./fact-book.ts";
import { FactUnknown, type FactAnswer } from "./facts.ts";
import type { Use } from "./recipe.ts";
import { Refusal, type Change } from "./task.ts";

/**
 * What a use found, and what it would change; `unknown` when a fact it needs cannot be known, or when it
 * refuses what it found: in both cases an earlier use may still help.
 */
export interface View {
  readonly use: Use;
  readonly asked: Asked;
  /** The answers it was planned on; a newer one in the book makes the view stale. */
  readonly seen: ReadonlyMap<string, FactAnswer | undefined>;
  readonly changes: readonly Change[];
  readonly unknown: FactUnknown | Refusal | undefined;
}

/** Reads and plans one use on what the book knows; asks the machine for the rest. */
export async function look(use: Use, book: FactBook): Promise<View> {
  const asked: Asked = new Map();
  const view = (rest: Pick<View, "changes" | "unknown">): View => {
    const seen = new Map([...asked].map(([key, request]) => [key, book.known(request)]));
    return { use, asked, seen, ...rest };
  };
  try {
    const state = await use.task.read(book.facts(asked), use.params);
    return view({ changes: use.task.plan(use.params, state), unknown: undefined });
  } catch (error) {
    if (error instanceof FactUnknown || error instanceof Refusal) {
      return view({ changes: [], unknown: error });
    }
    throw error;
  }
}

/** The book still says what the view was planned on. */
export function fresh(view: View, book: FactBook): boolean {
  return [...view.asked].every(([key, request]) => {
    const answer = book.known(request);
    return answer !== undefined && answer === view.seen.get(key);
  });
}

/** Reads and plans all of them at once: one flight, as far as no read asks in two steps. */
export function lookAll(uses: readonly Use[], book: FactBook): Promise<View[]> {
  return Promise.all(uses.map((use) => look(use, book)));
}

/** Nothing to do, and that is known. */
export function settled(view: View): boolean {
  return view.changes.length === 0 && !view.unknown;
}
