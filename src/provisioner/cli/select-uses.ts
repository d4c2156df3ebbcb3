import { ProvisionError } from "../core/errors.ts";
import type { Recipe, Use } from "../core/recipe.ts";
import { nearestName } from "../spec/nearest-name.ts";

/** What `--only` and `--skip` say: names of tasks, or of uses; `*` stands for anything. */
export interface Selection {
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
}

/** The uses that are meant, in order. A pattern that means none is an error: it is a slip of the pen. */
export function selectUses(recipe: Recipe, { only = [], skip = [] }: Selection): Recipe {
  for (const pattern of [...only, ...skip]) {
    if (!recipe.some((use) => means(pattern, use))) throw meansNothing(pattern, recipe);
  }
  return recipe.filter(
    (use) =>
      (only.length === 0 || only.some((pattern) => means(pattern, use))) &&
      !skip.some((pattern) => means(pattern, use)),
  );
}

function means(pattern: string, use: Use): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const shape = new RegExp(`^${parts.join(".*")}$`, "s");
  return shape.test(use.id) || shape.test(use.task.name);
}

function meansNothing(pattern: string, recipe: Recipe): ProvisionError<"USAGE"> {
  const names = [...new Set(recipe.flatMap((use) => [use.task.name, use.id]))];
  const nearest = nearestName(pattern, names);
  return new ProvisionError("USAGE", {
    what: `Cannot select "${pattern}": must be a task or a use of the spec, is none`,
    mend: nearest === undefined ? `Name one of ${names.join(", ")}` : `Name "${nearest}"`,
  });
}
