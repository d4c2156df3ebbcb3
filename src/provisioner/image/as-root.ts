import process from "node:process";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { program } from "../local/program.ts";

/** How this process comes by root's right to keep owners and modes. */
export interface RootWay {
  /** mmdebstrap's word for it. */
  readonly mode: "root" | "unshare";
  /** What a command line is put behind. */
  readonly prefix: readonly string[];
}

/** Root as it is, or root of a user namespace; throws BASE_NEEDS_ROOT where this user may have neither. */
export async function findRootWay(run: Run): Promise<RootWay> {
  if (process.getuid?.() === 0) return { mode: "root", prefix: [] };
  const prefix = ["unshare", "--map-root-user", "--map-auto", "--"];
  try {
    await program(["unshare", ...prefix.slice(1), "true"], { run });
    return { mode: "unshare", prefix };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    throw new ProvisionError("BASE_NEEDS_ROOT", { reason: error.message }, { cause: error });
  }
}
