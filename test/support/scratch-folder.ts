import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

/** A fresh directory that is gone after the test. */
export async function scratchFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "provision-test-"));
  // Not by an `afterEach` here: files share one process, and it would be one of the first file alone.
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
