import { converge } from "../core/converge.ts";
import { describe } from "../core/describe.ts";
import type { Host } from "../core/host.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Run } from "../core/run.ts";
import type { Sources } from "../core/sources.ts";
import { ask, look } from "./ask.ts";
import { Broken } from "./broken.ts";
import { listen } from "./listen.ts";
import { watchHost } from "./watch-host.ts";

/** What a proof works with. */
export interface Proving {
  readonly recipe: Recipe;
  readonly host: Host;
  readonly sources: Sources;
  readonly run: Run;
}

/** Where a task could leave a trace; what changes by itself lies elsewhere. */
const places = [
  "/etc",
  "/usr/local",
  "/opt",
  "/srv",
  "/home",
  "/root",
  "/var/lib/dpkg",
  "/var/lib/provision",
];
const mend = "See that `read` only looks: what it runs by `query` must not change the machine";

/**
 * Checks, and proves that it was only that: no order was given, every fact that was read is as before, and no file of
 * the machine was touched. Gives what was seen.
 */
export async function proveCheck({ recipe, host, sources, run }: Proving): Promise<string> {
  const since = (await look(host, "date", "+%s.%N")).trim();
  const watched = watchHost(host);

  const { changed, mayChange } = await converge(recipe, {
    host: watched,
    run: listen(run).run,
    check: true,
    sources,
  });

  const [order] = watched.told;
  if (order) throw new Broken(`must give no order, gives \`${describe(order.action)}\``, mend);
  await refuseOtherFacts(host, watched.asked);
  // The time of the change, which no program can set back.
  const find = ["find", ...places, "-xdev", "-newerct", `@${since}`] as const;
  const touched = (await look(host, ...find)).trim().split("\n").filter(Boolean);
  if (touched.length > 0)
    throw new Broken(`must touch no file, touches ${touched.slice(0, 5).join(", ")}`, mend);
  return changed + mayChange === 0 ? "nothing to do" : `${changed + mayChange} to change`;
}

async function refuseOtherFacts(host: Host, before: ReturnType<typeof watchHost>["asked"]): Promise<void> {
  const all = [...before];
  const answers = await ask(
    host,
    all.map(([, { request }]) => request),
  );
  for (const [index, [key, { answer }]] of all.entries()) {
    const [was, is] = [JSON.stringify(answer), JSON.stringify(answers[index])];
    if (was !== is) throw new Broken(`must leave ${key} as it was, ${was}, is ${is}`, mend);
  }
}
