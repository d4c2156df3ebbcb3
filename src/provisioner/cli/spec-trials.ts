import { appliesTo, distributionNamed } from "../core/distribution.ts";
import type { Recipe } from "../core/recipe.ts";
import type { Trial } from "../trial/trial.ts";

/**
 * The uses of a spec as things to try, one after the other on one machine: each stands on those before it. At the end all
 * of them together: one that undoes what another did shows there.
 */
export function specTrials(name: string, recipe: Recipe, distribution: string): readonly Trial[] {
  const here = distributionNamed(distribution);
  const meant = recipe.filter(({ when }) => appliesTo(when, here));
  const each = recipe.map((use): Omit<Trial, "continues"> => {
    const skip = meant.includes(use) ? undefined : `it is not meant for ${distribution}`;
    return { subject: name, title: use.id, given: [], recipe: [use], ...(skip !== undefined && { skip }) };
  });
  const first = each.findIndex(({ skip }) => skip === undefined);
  const together: Omit<Trial, "continues"> = {
    subject: name,
    title: "all together",
    given: [],
    recipe: meant,
    // Each was spoiled by itself.
    spoil: () => [],
  };
  return [
    ...each.map((trial, index): Trial => (index === first ? trial : { ...trial, continues: true })),
    ...(meant.length > 1 ? [{ ...together, continues: true as const }] : []),
  ];
}
