import { tmpdir } from "node:os";
import { join } from "node:path";

import { holdLock } from "../../src/provisioner/local/lock.ts";
import { quietRun } from "./quiet-run.ts";

/** For a test that kills a run and looks at what is left: `provision gc` of another test would remove it. */
export function killAlone(): Promise<AsyncDisposable> {
  return holdLock(join(tmpdir(), "provision-killed-runs"), "a run to kill", quietRun());
}
