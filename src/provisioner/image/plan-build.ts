import { appliesTo, distributionNamed } from "../core/distribution.ts";
import { converge } from "../core/converge.ts";
import { emptyHost } from "../core/empty-host.ts";
import type { Use } from "../core/recipe.ts";
import type { Run } from "../core/run.ts";
import { digestOf } from "./build-inputs.ts";
import type { BuildRequest } from "./build-image.ts";
import { findByKey, versionsOf } from "./image-store.ts";
import type { Workshop } from "./workshop.ts";

/** A use as it was resolved: includes merged, in the order it runs. */
export interface PlannedUse {
  readonly task: string;
  readonly use: string;
  /** `specs/base.yaml:15` */
  readonly from: string;
  /** False when it is meant for another distribution than the base's. */
  readonly applies: boolean;
}

/** What a build would do. */
export interface BuildPlan {
  /** An image of these inputs is there: a build would change nothing. */
  readonly isPublished: boolean;
  readonly text: string;
  readonly uses: readonly PlannedUse[];
  readonly data: object;
}

/**
 * Plans a build without a machine: each use against an empty one, and why an image would be built at all. What the
 * base has already is not known here, so a real build changes these or fewer.
 */
export async function planBuild(
  request: Pick<BuildRequest, "name" | "recipe" | "sources" | "inputs" | "distribution">,
  shop: Pick<Workshop, "store">,
  run: Run,
): Promise<BuildPlan> {
  const key = digestOf(request.inputs);
  const uses = request.recipe.map((use) => plannedUse(use, request.distribution));
  const there = await findByKey(shop.store, request.name, key);
  if (there)
    return {
      isPublished: true,
      text: `Nothing changed: ${there.path} is there`,
      uses,
      data: { key, image: there.path, uses },
    };
  await using host = emptyHost(request.distribution);
  await converge(request.recipe, { host, run, check: true, sources: request.sources });
  const latest = (await versionsOf(shop.store, request.name)).at(-1);
  const why = latest ? differing(latest.manifest.inputs, request.inputs) : ["there is no image yet"];
  const text = `Would build ${request.name}: ${why.join(", ")}`;
  return { isPublished: false, text, uses, data: { key, why, uses } };
}

function plannedUse({ id, task, where, when }: Use, distribution: string): PlannedUse {
  const from = `${where.file}:${where.line}`;
  return { task: task.name, use: id, from, applies: appliesTo(when, distributionNamed(distribution)) };
}

/** The inputs that are not what they were. */
function differing(before: unknown, now: object): string[] {
  const old = (before ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(now)
    .filter(([name, value]) => digestOf(old[name] ?? null) !== digestOf(value))
    .map(([name]) => `${name} differs`);
}
