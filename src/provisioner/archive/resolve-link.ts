import { Refusal, short } from "./refusal.ts";

/** A directory of an archive; the root has no parent. */
export interface Folder {
  readonly kind: "directory";
  readonly parent: Folder | undefined;
  readonly children: Map<string, Node>;
}

/** A symbolic link of an archive. */
export interface Link {
  readonly kind: "symlink";
  readonly path: string;
  readonly target: string;
  readonly parent: Folder;
}

/** What can be at a path of an archive. */
export type Node = Folder | Link | { readonly kind: "file"; readonly mode: number; readonly size: number };

/** As many as the kernel follows before it says ELOOP (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Finds what a link leads to, a component at a time, as the kernel does. Comparing the texts is not enough: `..`
 * goes up from where the links before it have led. Throws when it leads out, to nothing, or round in a circle.
 */
export function resolveLink(link: Link): Node {
  let node: Node = link.parent;
  let followed = 1;
  const parts = reversed(link.target);
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    // Even of "file/" and "file/." the kernel says that it is not a directory.
    if (node.kind !== "directory") throw refused(link, "goes through something that is no directory");
    if (part === "" || part === ".") continue;
    const next: Node | undefined = part === ".." ? node.parent : node.children.get(part);
    if (next === undefined)
      throw refused(link, part === ".." ? "leads out of the archive" : "is not in the archive");
    if (next.kind !== "symlink") {
      node = next;
      continue;
    }
    followed += 1;
    if (followed > MOST_LINKS) throw refused(link, "leads through too many links");
    parts.push(...reversed(next.target));
  }
  return node;
}

function reversed(target: string): string[] {
  return target.split("/").toReversed();
}

function refused({ path, target }: Link, fault: string): Refusal {
  return new Refusal("content", `must point into the archive, its target "${short(target)}" ${fault}`, {
    entry: path,
  });
}
