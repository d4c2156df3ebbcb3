import type { UnpackedEntry } from "./archive-input.ts";
import type { Allowance } from "./allowance.ts";
import type { Member } from "./member.ts";
import { memberPath, vetLinkTarget } from "./member-path.ts";
import { Refusal, short } from "./refusal.ts";
import { type Folder, type Link, type Node, resolveLink } from "./resolve-link.ts";

/** A link that is made when all files are there. */
interface LateLink {
  readonly path: string;
  readonly target: string;
}

/** What one member adds. */
interface Added {
  /** Directories that were not there before, outer first. */
  readonly directories: readonly string[];
  readonly file?: UnpackedEntry | undefined;
}

/** What an archive comes to, kept in memory: every rule that needs no disk is held here, the same for all formats. */
export class ArchiveTree {
  readonly hardLinks: LateLink[] = [];
  readonly symlinks: LateLink[] = [];
  readonly #root: Folder = { kind: "directory", parent: undefined, children: new Map() };
  readonly #entries: UnpackedEntry[] = [];
  readonly #links: Link[] = [];
  readonly #allowance: Allowance;
  #bytes = 0;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
  }

  /** Takes a member in, or refuses it. */
  add(member: Member): Added {
    const segments = memberPath(member.path);
    const path = segments.join("/");
    if (member.kind === "directory") return { directories: this.#makeFolder(segments, member).made };
    const name = segments.at(-1);
    if (name === undefined)
      throw new Refusal("content", "must be a directory, it is the archive's root", { entry: member.path });
    const { folder, made } = this.#makeFolder(segments.slice(0, -1), member);
    if (folder.children.has(name))
      throw new Refusal("content", "must be there once, is there twice", { entry: path });
    folder.children.set(name, this.#node(member, path, folder));
    return { directories: made, ...(member.kind === "file" && { file: this.#entries.at(-1) }) };
  }

  /** Holds every symbolic link to its target, now that all is known, and gives all there is. */
  settle(): readonly UnpackedEntry[] {
    for (const link of this.#links) resolveLink(link);
    return this.#entries;
  }

  #node(member: Member, path: string, folder: Folder): Node {
    if (member.kind === "symlink") return this.#symlink(member, path, folder);
    // Taking the bit away in silence would leave a program that does not work as its makers meant.
    if ((member.mode & 0o7000) !== 0)
      throw new Refusal(
        "content",
        `must not have a setuid, setgid or sticky bit, has mode ${member.mode.toString(8)}`,
        { entry: path },
      );
    if (member.kind === "hard link") return this.#hardLink(member, path);
    return this.#file(path, (member.mode & 0o111) === 0 ? 0o644 : 0o755, member.size);
  }

  #file(path: string, mode: number, size: number): Node {
    this.#bytes += size;
    this.#allowance.allowBytes(this.#bytes, path);
    this.#enter({ path, type: "file", mode, size });
    return { kind: "file", mode, size };
  }

  #symlink({ target = "" }: Member, path: string, parent: Folder): Node {
    vetLinkTarget(target, path);
    const link: Link = { kind: "symlink", path, target, parent };
    this.#links.push(link);
    this.symlinks.push({ path, target });
    this.#enter({ path, type: "symlink", mode: 0o777, size: 0, target });
    return link;
  }

  #hardLink({ target = "" }: Member, path: string): Node {
    const segments = memberPath(target);
    const node = this.#find(segments);
    if (node?.kind !== "file")
      throw new Refusal("content", `must link to a file that came before it, "${short(target)}" is none`, {
        entry: path,
      });
    this.hardLinks.push({ path, target: segments.join("/") });
    this.#enter({ path, type: "file", mode: node.mode, size: node.size });
    return node;
  }

  #find(segments: readonly string[]): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const segment of segments)
      node = node?.kind === "directory" ? node.children.get(segment) : undefined;
    return node;
  }

  #makeFolder(segments: readonly string[], { path }: Member): { folder: Folder; made: readonly string[] } {
    let folder = this.#root;
    const made: string[] = [];
    for (const [index, segment] of segments.entries()) {
      const there = folder.children.get(segment);
      if (there?.kind === "directory") {
        folder = there;
        continue;
      }
      const upTo = segments.slice(0, index + 1).join("/");
      if (there !== undefined)
        throw new Refusal("content", `needs a directory "${short(upTo)}", which is a ${there.kind}`, {
          entry: path,
        });
      const fresh: Folder = { kind: "directory", parent: folder, children: new Map() };
      folder.children.set(segment, fresh);
      this.#enter({ path: upTo, type: "directory", mode: 0o755, size: 0 });
      made.push(upTo);
      folder = fresh;
    }
    return { folder, made };
  }

  #enter(entry: UnpackedEntry): void {
    this.#entries.push(entry);
    this.#allowance.allowEntries(this.#entries.length);
  }
}
