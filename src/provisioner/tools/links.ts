import { existsSync, realpathSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

import { linkText, statOf } from "./path-facts.ts";
import { incomingPath, type Prefix } from "./prefix.ts";

/** What stands where a tool wants a link. */
export type LinkState =
  /** The link as it should be. */
  | { readonly kind: "right" }
  | { readonly kind: "absent" }
  /** A link of the tool that says something else, or of one that is gone. */
  | { readonly kind: "stale"; readonly tool: string }
  /** A link of another tool. */
  | { readonly kind: "of-tool"; readonly tool: string }
  /** Somebody's file, at the path itself or where one of its directories has to be. */
  | { readonly kind: "foreign"; readonly path: string };

/** Looks at a path of the prefix where a tool wants a link. */
export function lookAtLink(prefix: Prefix, tool: string, path: string): LinkState {
  const above = findDirectory(prefix, dirname(path));
  if (above.kind !== "directory") return above;
  const below = ownerOf(prefix, above.real);
  // Under a link of its own: another version has a directory there, whose link goes before this one comes.
  if (below !== undefined) return below === tool ? { kind: "absent" } : { kind: "of-tool", tool: below };
  const full = join(prefix.root, path);
  if (statOf(full) === undefined) return { kind: "absent" };
  const text = linkText(full);
  const owner = text === undefined ? undefined : ownerOf(prefix, resolve(above.real, text));
  if (owner === undefined) return { kind: "foreign", path };
  if (owner === tool && text === linkTarget(prefix, tool, path)) return { kind: "right" };
  const isLeft = owner === tool || !existsSync(join(prefix.store, owner));
  return isLeft ? { kind: "stale", tool: owner } : { kind: "of-tool", tool: owner };
}

/**
 * What the link at a path of the prefix has to say. Through `current`, so that another version is one rename; from
 * the real directory, which is elsewhere where somebody made ~/.local/bin a link.
 */
export function linkTarget(prefix: Prefix, tool: string, path: string): string {
  const parent = realpathSync.native(dirname(join(prefix.root, path)));
  return relative(parent, join(realStore(prefix), tool, "current", path));
}

/** Makes a link; where one is that says something else, there is none missing for a moment. */
export function putLink(prefix: Prefix, tool: string, path: string): void {
  const full = join(prefix.root, path);
  const target = linkTarget(prefix, tool, path);
  if (statOf(full) === undefined) {
    symlinkSync(target, full);
    return;
  }
  // Made in the store: a run that is killed leaves nothing among the user's files.
  const partial = incomingPath(prefix);
  symlinkSync(target, partial);
  try {
    renameSync(partial, full);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    unlinkSync(full);
    symlinkSync(target, full);
    rmSync(partial);
  }
}

/** Removes the link at a path when it is the tool's own; says whether it was. */
export function removeLink(prefix: Prefix, tool: string, path: string): boolean {
  if (!isLinkOf(prefix, tool, path)) return false;
  unlinkSync(join(prefix.root, path));
  return true;
}

/** Whether a link of the tool stands at a path. */
export function isLinkOf(prefix: Prefix, tool: string, path: string): boolean {
  const state = lookAtLink(prefix, tool, path);
  return state.kind === "right" || (state.kind === "stale" && state.tool === tool);
}

type Directory =
  | { readonly kind: "directory"; readonly real: string }
  | { readonly kind: "absent" }
  | { readonly kind: "foreign"; readonly path: string };

/** A directory of the prefix, with the links on the way to it followed. */
function findDirectory(prefix: Prefix, path: string): Directory {
  const full = join(prefix.root, path);
  if (statOf(full) === undefined) {
    if (path === ".") return { kind: "absent" };
    const above = findDirectory(prefix, dirname(path));
    // Nothing may be made in a version of a tool.
    const isPlain = above.kind === "directory" && ownerOf(prefix, above.real) === undefined;
    return isPlain ? { kind: "absent" } : above;
  }
  // A link that leads nowhere is in the way as a file is.
  if (!existsSync(full)) return { kind: "foreign", path };
  const real = realpathSync.native(full);
  return statOf(real)?.isDirectory() ? { kind: "directory", real } : { kind: "foreign", path };
}

/** The tool whose part of the store a path lies in. */
function ownerOf(prefix: Prefix, path: string): string | undefined {
  const store = realStore(prefix) + sep;
  return path.startsWith(store) ? path.slice(store.length).split(sep)[0] : undefined;
}

function realStore({ store }: Prefix): string {
  return existsSync(store) ? realpathSync.native(store) : store;
}
