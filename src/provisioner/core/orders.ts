import { createHash, randomUUID } from "node:crypto";

import { canTouch } from "./effects.ts";
import type { FactBook } from "./fact-book.ts";
import type { FactRequest } from "./facts.ts";
import type { Order } from "./host.ts";
import { fresh, type View } from "./look.ts";
import type { Action, Change } from "./task.ts";

/** An order as it was planned: what it carries may still have to be fetched. */
export interface PlannedOrder extends Omit<Order, "action"> {
  readonly action: Action;
}

/** The part of a run that one flight can carry. */
export interface Leg {
  /** The uses it settles, some of which have nothing to do. */
  readonly views: readonly View[];
  readonly orders: readonly { readonly view: View; readonly order: PlannedOrder }[];
  /** Asked in the same flight, after the orders: what the next leg is planned on. */
  readonly facts: readonly FactRequest[];
}

/**
 * The longest leg from the first view on: it goes on while no order can change what the next use has read, so
 * every plan in it still stands. It ends behind a use that has to be confirmed: what comes next builds on that. Then
 * come the facts of those the next leg can reach.
 */
export function nextLeg(views: readonly View[], book: FactBook): Leg {
  const taken: View[] = [];
  const orders: { view: View; order: PlannedOrder }[] = [];
  for (const view of views) {
    const disturbed = orders.some(({ order }) => touchesAny(order.action, view));
    if (disturbed || view.unknown || !fresh(view, book)) break;
    taken.push(view);
    for (const action of view.changes.flatMap((change) => change.actions)) {
      orders.push({ view, order: toOrder(action, orders, book) });
    }
    if (view.changes.some(isConfirmed)) break;
  }
  const stale = (request: FactRequest) =>
    book.known(request) === undefined || orders.some(({ order }) => canTouch(order.action, request));
  return { views: taken, orders, facts: ahead(views.slice(taken.length)).filter(stale) };
}

/**
 * How many of these views one leg may come to settle: up to the first that can touch everything. Behind that one
 * all is read again anyway.
 */
export function reach(views: readonly View[]): number {
  const barrier = views.findIndex((view) => view.unknown ?? view.changes.some(isOpaque));
  return barrier === -1 ? views.length : barrier + 1;
}

function isOpaque({ actions }: Change): boolean {
  return actions.some((action) => action.kind === "run" && !action.touches);
}

function isConfirmed({ actions }: Change): boolean {
  return actions.some(({ kind }) => kind === "confirm");
}

function ahead(views: readonly View[]): FactRequest[] {
  const wanted = views.slice(0, reach(views));
  return [...new Map(wanted.flatMap(({ asked }) => [...asked])).values()];
}

function touchesAny(action: Action, view: View): boolean {
  return [...view.asked.values()].some((request) => canTouch(action, request));
}

function toOrder(
  action: Action,
  before: readonly { readonly order: PlannedOrder }[],
  book: FactBook,
): PlannedOrder {
  const id = randomUUID();
  if (!isWriting(action)) return { id, action };
  const { path } = action;
  // Earlier in this flight the path is ours: what was read of it no longer counts.
  const touched = before.some(({ order }) => canTouch(order.action, { kind: "digest", about: path }));
  const expects = touched ? undefined : readDigest(path, book);
  return { id, action, ...(expects !== undefined && { expects }) };
}

function isWriting(action: Action): action is Extract<Action, { kind: (typeof writing)[number] }> {
  return writing.some((kind) => kind === action.kind);
}

/** Kinds that put content of a file in place. */
const writing = ["write", "upload", "fetch", "fetch-key"] as const;

/** The digest of what was read of a path, `null` for absent, `undefined` when nobody read its content. */
function readDigest(path: string, book: FactBook): string | null | undefined {
  const digest = book.known({ kind: "digest", about: path });
  if (digest && "value" in digest) return (digest.value as string | undefined) ?? null;
  const file = book.known({ kind: "file", about: path });
  if (!file || "unknown" in file) return undefined;
  if (typeof file.value !== "string") return null;
  // U+FFFD: bytes that were no UTF-8, whose digest cannot be had from the text.
  return file.value.includes("\uFFFD") ? undefined : createHash("sha256").update(file.value).digest("hex");
}
