import { atUse } from "./at-use.ts";
import { appliesTo, osReleasePath, readDistribution, type When } from "./distribution.ts";
import type { Asked, FactBook } from "./fact-book.ts";
import { factKey, FactUnknown, type FactAnswer, type FactRequest } from "./facts.ts";
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
  /** False on a machine of another distribution than the use is meant for. */
  readonly applies: boolean;
}

/** Reads and plans one use on what the book knows; asks the machine for the rest. */
export async function look(use: Use, book: FactBook): Promise<View> {
  const asked: Asked = new Map();
  const { when } = use;
  if (when === undefined) return lookHere(use, book, asked);
  // Both at once: which distribution it is travels in the flight that carries the use's own facts.
  const [applies, here] = await Promise.allSettled([
    ask(when, book, asked),
    lookHere(use, book, asked, () => {
      if (isElsewhere(when, book)) throw new Elsewhere();
    }),
  ]);
  if (applies.status === "rejected") return cannot(applies.reason, use, book, asked);
  if (!applies.value) {
    return viewOf(use, book, new Map([...asked].filter(([key]) => key === osReleaseKey)), { applies: false });
  }
  if (here.status === "rejected") throw here.reason;
  return here.value;
}

async function lookHere(use: Use, book: FactBook, asked: Asked, gate?: () => void): Promise<View> {
  try {
    const state = await use.task.read(book.facts(asked, gate), use.params);
    return viewOf(use, book, asked, { changes: use.task.plan(use.params, state) });
  } catch (error) {
    return cannot(error, use, book, asked);
  }
}

function cannot(error: unknown, use: Use, book: FactBook, asked: Asked): View {
  if (error instanceof FactUnknown || error instanceof Refusal) {
    return viewOf(use, book, asked, { unknown: error });
  }
  throw atUse(use, error);
}

function viewOf(use: Use, book: FactBook, asked: Asked, found: Partial<View>): View {
  const seen = new Map([...asked].map(([key, request]) => [key, book.known(request)]));
  return { use, asked, seen, changes: [], unknown: undefined, applies: true, ...found };
}

/** Ends a read that turned out to be none of this machine's business. */
class Elsewhere extends Error {}

const osRelease: FactRequest = { kind: "file", about: osReleasePath };
const osReleaseKey = factKey(osRelease);

async function ask(when: When, book: FactBook, asked: Asked): Promise<boolean> {
  const found = readDistribution((await book.facts(asked).file(osReleasePath)) ?? "");
  if (found) return appliesTo(when, found);
  throw new Refusal(
    `"${osReleasePath}" must say which distribution this is, says nothing; mend that file, or leave \`when\` out`,
  );
}

/** True once the book knows that the machine is of another distribution. */
function isElsewhere(when: When, book: FactBook): boolean {
  const answer = book.known(osRelease);
  const text = answer && "value" in answer ? answer.value : undefined;
  const found = typeof text === "string" ? readDistribution(text) : undefined;
  return found !== undefined && !appliesTo(when, found);
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
