import { dropClaim, readClaims } from "./claims.ts";
import { isAlive as isProcessAlive, type ProcessIdentity } from "../local/process-identity.ts";
import type { Driver, Mark, OwnedDomain } from "./driver.ts";

/** Something a dead run left. */
export interface Leftover {
  readonly kind: "domain" | "files";
  /** The domain's name, or the claim's. */
  readonly name: string;
  readonly run: string;
  readonly files: readonly string[];
}

/** What `gc` did, or would do. */
export interface Garbage {
  /** Removed; with `check`, what would be. */
  readonly found: readonly Leftover[];
  readonly failed: readonly { readonly leftover: Leftover; readonly error: unknown }[];
}

/** How to look for garbage. */
export interface GarbageOptions {
  /** Only looks. */
  readonly check: boolean;
  /** The folder of `claimFiles`. */
  readonly claims: string;
  /** Whether a machine that was kept for later runs is one no longer; left out, all of them stay. */
  readonly isForsaken?: (domain: OwnedDomain) => Promise<boolean>;
  readonly isAlive?: (owner: ProcessIdentity) => Promise<boolean>;
}

/** A deployed host outlives the run that made it; nothing else does. */
const throwAway: readonly Mark["role"][] = ["builder", "verify", "probe", "scratch"];

/**
 * Removes what dead runs left: domains with our mark, their NVRAM, console logs and files, and files that were
 * claimed before there was a domain. Never what bears no mark, nor what a living process owns. One failure does
 * not keep the rest.
 */
export async function collectGarbage(
  driver: Pick<Driver, "owned" | "remove">,
  options: GarbageOptions,
): Promise<Garbage> {
  const alive = options.isAlive ?? isProcessAlive;
  const found: Leftover[] = [];
  const failed: { leftover: Leftover; error: unknown }[] = [];

  async function drop(leftover: Leftover, remove: () => Promise<void>): Promise<void> {
    try {
      if (!options.check) await remove();
      found.push(leftover);
    } catch (error) {
      failed.push({ leftover, error });
    }
  }

  for (const domain of await driver.owned()) {
    const { role, run, files, owner } = domain.mark;
    // A mark without an owner was made on behalf of another process: nobody can say that it is dead.
    if (!throwAway.includes(role) || owner === undefined || (await alive(owner))) continue;
    if (domain.mark.kept !== undefined && !(await options.isForsaken?.(domain))) continue;
    await drop({ kind: "domain", name: domain.name, run, files }, () => driver.remove(domain));
  }
  for (const claim of await readClaims(options.claims)) {
    if (await alive(claim.owner)) continue;
    const leftover: Leftover = { kind: "files", name: claim.id, run: claim.id, files: claim.files };
    await drop(leftover, () => dropClaim(options.claims, claim));
  }
  return { found, failed };
}
