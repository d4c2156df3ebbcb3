import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";

import type { Run } from "../core/run.ts";
import { holdLock } from "../local/lock.ts";
import { installedNames } from "./installed-tool.ts";
import { makeStore, pruneDirectories, removeStore } from "./made-directories.ts";
import { type Prefix, removeLeftovers } from "./prefix.ts";
import { unwritable } from "./tool-error.ts";
import { dropWarmState } from "./warm-state.ts";

/** Does work in a prefix that nobody else works in, on a store without rubbish; leaves none behind either. */
export async function workInPrefix<Value>(
  prefix: Prefix,
  run: Run,
  work: () => Promise<Value>,
): Promise<Value> {
  needWritable(prefix.root);
  const root = existsSync(prefix.root) ? realpathSync.native(prefix.root) : prefix.root;
  await using _lock = await holdLock(root, `the tools in ${prefix.root}`, run);
  removeLeftovers(prefix);
  makeStore(prefix);
  // Killed from here on, the next run takes the long way and finds what is left.
  dropWarmState(prefix);
  try {
    return await work();
  } finally {
    removeLeftovers(prefix);
    pruneDirectories(prefix);
    if (installedNames(prefix).length === 0) removeStore(prefix);
  }
}

function needWritable(path: string): void {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(place, (error as NodeJS.ErrnoException).code ?? "", error);
  }
}
