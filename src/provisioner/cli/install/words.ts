import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

// Read by the way that has nothing to do, before anything else is: nothing but Node may be imported here.

/** Tools that are as wanted. */
export interface AsWanted {
  readonly prefix: string;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  /** Not for this machine's architecture. */
  readonly skipped: readonly string[];
}

/** Where tools go: --prefix, else a place of the user's or of the whole machine. */
export function prefixRoot(
  { prefix, system = false }: { readonly prefix?: string; readonly system?: boolean },
  { cwd, home }: { readonly cwd: string; readonly home: string },
): string {
  if (prefix !== undefined) return resolve(cwd, prefix);
  return system ? "/usr/local" : join(home, ".local");
}

/** Digest of all that decides what is wanted in a prefix. */
export function planOf(of: {
  readonly versions: Buffer;
  readonly architecture: string;
  readonly provision: string;
  readonly root: string;
}): string {
  const { versions, architecture, provision, root } = of;
  return createHash("sha256")
    .update(JSON.stringify(["install", 1, architecture, provision, root]))
    .update(versions)
    .digest("hex");
}

/** The command, as it stands in the log. */
export function commandWords(names: readonly string[]): string {
  return ["install", ...names].join(" ");
}

/** The last line of a run that had nothing to do. */
export function asWantedText({ prefix, tools, skipped }: AsWanted): string {
  const count = `${tools.length} tool${tools.length === 1 ? "" : "s"} as wanted in ${prefix}`;
  return skipped.length === 0 ? count : `${count}; not for this machine: ${skipped.join(", ")}`;
}

/** The same for programs. */
export function asWantedData({ prefix, tools, skipped }: AsWanted): unknown {
  const each = tools.map(({ name, version }) => ({ name, version, from: version, outcome: "as-wanted" }));
  return { prefix, tools: each, skipped };
}
