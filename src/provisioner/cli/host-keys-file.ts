import { join } from "node:path";

import { machineDirs } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Where the keys of deployed hosts are written down: known_hosts of this person, kept by provision. */
export function hostKeysFile(shell: Pick<Shell, "env" | "home">): string {
  return join(machineDirs(shell).state, "known_hosts");
}
