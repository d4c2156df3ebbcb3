import { converge } from "../core/converge.ts";
import { emptyHost } from "../core/empty-host.ts";
import type { Run } from "../core/run.ts";
import { digestOf } from "./build-inputs.ts";
import type { BuildRequest } from "./build-image.ts";
import { findByKey, versionsOf } from "./image-store.ts";
import type { Workshop } from "./workshop.ts";

/** What a build would do. */
export interface BuildPlan {
  /** An image of these inputs is there: a build would change nothing. */
  readonly isPublished: boolean;
  readonly text: string;
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
  const there = await findByKey(shop.store, request.name, key);
  if (there)
    return {
      isPublished: true,
      text: `Nothing changed: ${there.path} is there`,
      data: { key, image: there.path },
    };
  await using host = emptyHost(request.distribution);
  await converge(request.recipe, { host, run, check: true, sources: request.sources });
  const latest = (await versionsOf(shop.store, request.name)).at(-1);
  const why = latest ? differing(latest.manifest.inputs, request.inputs) : ["there is no image yet"];
  return { isPublished: false, text: `Would build ${request.name}: ${why.join(", ")}`, data: { key, why } };
}

/** The inputs that are not what they were. */
function differing(before: unknown, now: object): string[] {
  const old = (before ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(now)
    .filter(([name, value]) => digestOf(old[name] ?? null) !== digestOf(value))
    .map(([name]) => `${name} differs`);
}
