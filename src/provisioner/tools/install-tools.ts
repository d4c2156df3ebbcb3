import { join } from "node:path";

import pLimit, { type LimitFunction } from "p-limit";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import type { ToolPin } from "../core/tool-pin.ts";
import { type CacheOptions, fetchArtifact } from "../pins/artifact-cache.ts";
import { brokenFile, commandsOf, inspectTool, readLinks, type ToolState } from "./inspect-tool.ts";
import { findInstalled, versionOf } from "./installed-tool.ts";
import { findObstacles, refuseObstacles } from "./obstacles.ts";
import { placeVersion } from "./place-version.ts";
import { incomingPath, type Prefix } from "./prefix.ts";
import { privateCopy } from "./private-copy.ts";
import { type FetchedFile, stageTool } from "./stage-tool.ts";
import { switchVersion } from "./switch-version.ts";
import { asToolError } from "./tool-error.ts";

/** What became of a tool. */
export interface ToolOutcome {
  readonly name: string;
  readonly version: string;
  /** The version that was in use before. */
  readonly from: string | undefined;
  readonly outcome: "as-wanted" | "installed" | "changed" | "repaired" | "failed";
  /** Where files of others were put that stood in the way. */
  readonly replaced: readonly string[];
  readonly error?: ProvisionError;
}

/** Tools to bring to what is pinned, in a prefix whose lock is held. */
export interface InstallOrder {
  readonly prefix: Prefix;
  readonly pins: readonly ToolPin[];
  /** Installs what is as wanted too, and puts files of others aside. */
  readonly force: boolean;
  readonly cache: Omit<CacheOptions, "run">;
  readonly run: Run;
}

/** At most so many tools are worked on at once; of them so many download, and so many unpack. */
const together = { tools: 6, downloads: 4, unpacking: 2 };

/** Installs each tool on its own: one that fails keeps its old version, and the others go on. */
export async function installTools(order: InstallOrder): Promise<readonly ToolOutcome[]> {
  const limits = {
    tools: pLimit(together.tools),
    downloads: pLimit(together.downloads),
    unpacking: pLimit(together.unpacking),
  };
  const settled = await Promise.allSettled(
    largestFirst(order.pins).map((pin) => limits.tools(() => bring(pin, order, limits))),
  );
  order.run.signal.throwIfAborted();
  const outcomes = settled.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  return outcomes.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

interface Limits {
  readonly downloads: LimitFunction;
  readonly unpacking: LimitFunction;
}

async function bring(pin: ToolPin, order: InstallOrder, limits: Limits): Promise<ToolOutcome> {
  const { prefix, force, run } = order;
  const { name, version } = pin;
  const before = inspectTool(prefix, pin);
  const current = findInstalled(prefix, name)?.current;
  const from = current === undefined ? undefined : versionOf(current);
  const told = { name, version, from };
  if (before.kind === "as-wanted" && !force) return { ...told, outcome: "as-wanted", replaced: [] };
  try {
    const replaced =
      !force && isKept(prefix, pin)
        ? bringBack(prefix, pin)
        : await run.within(`${name} ${version}`, (inner) => install(pin, { ...order, run: inner }, limits));
    return { ...told, outcome: outcomeOf(before), replaced };
  } catch (error) {
    run.signal.throwIfAborted();
    return { ...told, outcome: "failed", replaced: [], error: asToolError(error, prefix.root) };
  }
}

async function install(pin: ToolPin, order: InstallOrder, limits: Limits): Promise<readonly string[]> {
  const { prefix, force, run, cache } = order;
  const files = await Promise.all(
    pin.artifacts.map((artifact) =>
      limits.downloads(async (): Promise<FetchedFile> => {
        const { path } = await fetchArtifact(artifact, { ...cache, run });
        return { artifact, path: await privateCopy(path, artifact, incomingPath(prefix)) };
      }),
    ),
  );
  return limits.unpacking(async () => {
    run.signal.throwIfAborted();
    await using staged = await stageTool(prefix, pin, { files, run });
    // The last look before anything is touched, and from here on nothing waits: no other tool comes between.
    if (force) findObstacles(prefix, pin.name, staged.links);
    else refuseObstacles(prefix, pin.name, staged.links);
    placeVersion(prefix, staged);
    return switchVersion(prefix, pin.name, pin.id);
  });
}

/** Whether the pinned version lies whole in the store, unused: the one before a downgrade, or of a run that was killed. */
function isKept(prefix: Prefix, pin: ToolPin): boolean {
  const installed = findInstalled(prefix, pin.name);
  if (!installed?.ids.includes(pin.id)) return false;
  return brokenFile(join(installed.directory, pin.id), commandsOf(pin)) === undefined;
}

function bringBack(prefix: Prefix, pin: ToolPin): readonly string[] {
  const installed = findInstalled(prefix, pin.name);
  if (installed) refuseObstacles(prefix, pin.name, readLinks(installed, pin.id));
  return switchVersion(prefix, pin.name, pin.id);
}

function outcomeOf(before: ToolState): ToolOutcome["outcome"] {
  if (before.kind === "absent") return "installed";
  return before.kind === "other" ? "changed" : "repaired";
}

/** Sizes are not known beforehand, but whole trees are large: what takes longest should not start last. */
function largestFirst(pins: readonly ToolPin[]): readonly ToolPin[] {
  const isTree = ({ artifacts }: ToolPin) => artifacts.some(({ tree }) => tree !== undefined);
  return [...pins.filter(isTree), ...pins.filter((pin) => !isTree(pin))];
}
