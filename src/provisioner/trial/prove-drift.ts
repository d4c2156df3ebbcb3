import { converge } from "../core/converge.ts";
import { describe } from "../core/describe.ts";
import type { Host, Landing } from "../core/host.ts";
import type { Use } from "../core/recipe.ts";
import type { Change, Errand } from "../core/task.ts";
import { Broken } from "./broken.ts";
import { listen } from "./listen.ts";
import type { Proving } from "./prove-check.ts";
import { spoilings, type Spoiling } from "./spoil.ts";

/** What the drift of a recipe is proved with. */
export interface Drifting extends Proving {
  /** What the uses changed when they settled, by their ids. */
  readonly made: ReadonlyMap<string, readonly Change[]>;
  readonly spoil: ((use: Use) => readonly Errand[] | undefined) | undefined;
}

/** Spoils each use in each way there is, and proves that it is noticed and mended. */
export async function proveDrift(drifting: Drifting): Promise<string> {
  const { recipe, host, made, spoil } = drifting;
  const how: string[] = [];
  for (const use of recipe) {
    const ways = await spoilings(use, made.get(use.id) ?? [], { host, spoil: spoil?.(use) });
    if (ways.length === 0 && made.has(use.id)) {
      throw new Broken(
        `${use.id} must be spoiled to see that it is mended, but nobody says how: it owns no path that is there`,
        `Give the task "${use.task.name}" a \`spoil\`, or the example a \`trial.spoil\``,
      );
    }
    for (const way of ways) {
      await proveMended(use, way, drifting);
      how.push(way.how);
    }
  }
  return how.length === 0 ? "nothing to spoil" : `${[...new Set(how)].join(", ")}: mended`;
}

async function proveMended(use: Use, { how, actions }: Spoiling, drifting: Drifting): Promise<void> {
  const { recipe, host, sources, run } = drifting;
  await perform(actions, host);
  const words = `${how} (${actions.map(describe).join("; ")})`;

  const noticed = listen(run);
  await converge(recipe, { host, run: noticed.run, check: true, sources });
  if (noticed.outcomes.get(use.id) !== "would-change") {
    throw new Broken(
      `${use.id} must have something to change when it is ${words}, has nothing`,
      "See that `read` looks at all that `plan` decides on",
    );
  }

  const mended = listen(run);
  await converge(recipe, { host, run: mended.run, check: false, sources });
  if (mended.outcomes.get(use.id) !== "changed") {
    throw new Broken(
      `${use.id} must be mended when it is ${words}, is left`,
      "See that the actions of `plan` bring about what it wants",
    );
  }
}

let spoiled = 0;

async function perform(actions: readonly Errand[], host: Host): Promise<void> {
  const orders = actions.map((action) => ({ id: `spoil-${++spoiled}`, action }));
  const { landings } = await host.fly({ orders, facts: [] });
  const at = landings.findIndex(({ kind }) => kind !== "done");
  const [action, landing] = [actions[at], landings[at]];
  if (!action || !landing) return;
  throw new Broken(
    `\`${describe(action)}\` must spoil it, ${endingOf(landing)}`,
    "Correct the `spoil` of the task or of the example",
  );
}

function endingOf(landing: Landing): string {
  if (landing.kind === "failed") return `ends with ${landing.code}: ${landing.tail.trim()}`;
  return `is ${landing.kind}`;
}
