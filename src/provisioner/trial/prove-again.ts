import { converge } from "../core/converge.ts";
import { Broken } from "./broken.ts";
import { listen } from "./listen.ts";
import type { Proving } from "./prove-check.ts";

/** Settles what is settled, and proves that this is one look and nothing else. */
export async function proveAgain({ recipe, host, sources, run }: Proving): Promise<string> {
  const heard = listen(run);

  const { changed, flights } = await converge(recipe, { host, run: heard.run, check: false, sources });

  const [first] = heard.changes;
  if (changed > 0 || first !== undefined) {
    const [use, [change]] = first ?? ["a use", []];
    const { what = use, from, to } = change ?? {};
    throw new Broken(
      `${use} must have nothing to change the second time, changes ${what}: must be ${shown(to)}, is ${shown(from)}`,
      "See that `read` finds what `plan` wanted, in the same words",
    );
  }
  if (flights !== 1) {
    throw new Broken(
      `must look in 1 flight, needs ${flights}`,
      "Ask for all facts at once in `read` (`Promise.all`): each further step costs every run a round trip",
    );
  }
  return "0 changes";
}

function shown(value: string | undefined): string {
  return value === undefined
    ? "absent"
    : JSON.stringify(value.length > 400 ? `${value.slice(0, 400)}…` : value);
}
