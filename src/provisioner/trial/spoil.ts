import type { FactAnswer, FactRequest } from "../core/facts.ts";
import type { Host } from "../core/host.ts";
import type { Use } from "../core/recipe.ts";
import { type Change, type Errand, type FileStat, run, write } from "../core/task.ts";
import { ask } from "./ask.ts";

/** One way to spoil a use. */
export interface Spoiling {
  /** For people: "removed". */
  readonly how: string;
  readonly actions: readonly Errand[];
}

const junk = "spoiled\n";
const append = 'printf "\\n# spoiled\\n" >> "$1"';

/**
 * The ways to spoil a use that is settled: as its task says; else what it owns is removed, and what it wrote there is
 * altered. One that only takes away gets back what it took. None where there is nothing of it.
 */
export async function spoilings(
  use: Use,
  made: readonly Change[],
  { host, spoil }: { readonly host: Host; readonly spoil: readonly Errand[] | undefined },
): Promise<readonly Spoiling[]> {
  const { task, params } = use;
  const said = spoil ?? task.spoil?.(params);
  if (said) return [{ how: "spoiled", actions: said }];
  const owned = task.owns?.(params) ?? [];
  if (task.takesAway) return [{ how: "put back", actions: owned.map((path) => write(path, junk)) }];

  const stats = await ask(
    host,
    owned.map((about): FactRequest => ({ kind: "stat", about })),
  );
  const there = owned.filter((_, index) => typeOf(stats[index]) !== undefined);
  const written = writtenBy(made);
  const texts = there.filter((path) => written.has(path) && typeOf(stats[owned.indexOf(path)]) === "file");
  return [
    { how: "removed", actions: there.map((path): Errand => ({ kind: "remove", path })) },
    { how: "altered", actions: texts.map((path) => run("sh", "-c", append, "spoil", path)) },
  ].filter(({ actions }) => actions.length > 0);
}

/** Files of which the use decided the text: what a program made there may be anything. */
function writtenBy(changes: readonly Change[]): ReadonlySet<string> {
  const actions = changes.flatMap((change) => change.actions);
  return new Set(
    actions.flatMap((action) =>
      action.kind === "write" || action.kind === "upload" || action.kind === "fetch" ? [action.path] : [],
    ),
  );
}

function typeOf(answer: FactAnswer | undefined): FileStat["type"] | undefined {
  if (answer === undefined || "unknown" in answer) return undefined;
  return (answer.value as FileStat | undefined)?.type;
}
