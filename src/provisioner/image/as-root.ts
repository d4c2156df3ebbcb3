import process from "node:process";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";

/** How this process comes by root's right to keep owners and modes. */
export interface RootWay {
  /** mmdebstrap's word for it. */
  readonly mode: "root" | "unshare";
  /** What a command that keeps owners is put behind. */
  readonly prefix: readonly string[];
  /** What mmdebstrap is put behind. */
  readonly shelter: readonly string[];
}

const userNamespace = ["unshare", "--map-root-user", "--map-auto", "--"] as const;

/**
 * As root, mmdebstrap mounts /proc and /sys of the machine below its tree. Namespaces of its own end with it,
 * and it ends with us: even after a SIGKILL no mount is left that a clean-up would walk into.
 */
const ownNamespaces = [
  "setpriv",
  "--pdeathsig=KILL",
  "unshare",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--",
] as const;

/** Root as it is, or root of a user namespace; throws BASE_NEEDS_ROOT where this user may have neither. */
export async function findRootWay(run: Run): Promise<RootWay> {
  if (process.getuid?.() === 0) {
    // In a container that may not mount, mmdebstrap does not mount either.
    const refused = await refusal([...ownNamespaces, "true"], run);
    return { mode: "root", prefix: [], shelter: refused ? [] : ownNamespaces };
  }
  const refused = await refusal([...userNamespace, "true"], run);
  if (refused) throw new ProvisionError("BASE_NEEDS_ROOT", { reason: refused.message }, { cause: refused });
  return { mode: "unshare", prefix: userNamespace, shelter: [] };
}

async function refusal(argv: readonly [string, ...string[]], run: Run): Promise<ProvisionError | undefined> {
  try {
    await program(argv, { run });
    return undefined;
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
}
