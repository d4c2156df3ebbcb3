import { type Change, Refusal, type RunAction } from "../../provisioner/core/task.ts";
import { linkScript, unlinkScript } from "./link-script.ts";
import { type LinkState, placeOf } from "./look.ts";
import type { Params } from "./schema.ts";

/** Where things are, for people: with the home in front. */
export interface Places {
  readonly home: string;
  readonly checkout: string;
}

/** Makes one link, or leaves it. What is in its way is kept, and the change says where. */
export function planLink(
  [name, source]: readonly [string, string],
  state: LinkState,
  { params, places }: { readonly params: Params; readonly places: Places },
): readonly Change[] {
  const { type, target, free, blocked, inside } = state;
  const at = `${places.home}/${name}`;
  const goal = `${places.checkout}/${source}`;
  if (type === "right" || target === goal) return [];
  if (blocked !== undefined)
    throw new Refusal(
      `"${blocked}" must be a directory, for the link "${name}" in it, is none; move it away`,
    );
  if (inside !== undefined)
    throw new Refusal(
      `the link "${name}" must be outside of the checkout, "${inside}" leads into it; remove that link, or take "${name}" out`,
    );
  const found = type === "link" ? `link to ${target}` : type;
  const isOurs = target?.startsWith(`${places.checkout}/`) ?? false;
  return [
    {
      what: at,
      from: type === "absent" ? undefined : isOurs ? found : `${found}, kept as ${free}`,
      to: `link to ${goal}`,
      actions: [script("provision-dotfiles-link", linkScript, params, name, source)],
    },
  ];
}

/** Removes one link, if it is one of this task's. */
export function planUnlink(
  name: string,
  { target, kept }: LinkState,
  { params, places }: { readonly params: Params; readonly places: Places },
): readonly Change[] {
  if (!target?.startsWith(`${places.checkout}/`)) return [];
  return [
    {
      what: `${places.home}/${name}`,
      from: `link to ${target}`,
      to: kept === undefined ? undefined : `what it was before, kept as ${kept}`,
      actions: [script("provision-dotfiles-unlink", unlinkScript, params, name)],
    },
  ];
}

function script(name: string, text: string, params: Params, ...words: readonly string[]): RunAction {
  return {
    kind: "run",
    // Links lead anywhere; what is a system's own fact none of them changes.
    touches: ["file", "stat", "digest", "query"],
    command: { argv: ["sh", "-c", text, name, params.user, placeOf(params), ...words] },
  };
}
