import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";

import type { Attributes, FileStat } from "../../src/provisioner/core/task.ts";

/** One thing in the tree. A directory and a socket have no content. */
interface Entry {
  readonly type: FileStat["type"];
  readonly content: string;
  readonly target: string | undefined;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

/** Why an action on a path cannot be done; the words are the system's own. */
export class FileTrouble extends Error {}

/** A tree of files in memory, with as much of Linux's manners as tasks can notice. */
export class FakeFiles {
  readonly #entries = new Map<string, Entry>();

  constructor(directories: readonly string[]) {
    for (const path of directories) this.directory(path);
  }

  /** What is at the path itself, links not followed. */
  stat(path: string): FileStat | undefined {
    const entry = this.#entries.get(path);
    if (!entry) return undefined;
    const { type, mode, owner, group, target, content } = entry;
    return { type, mode, owner, group, target, size: Buffer.byteLength(content) };
  }

  /** The text of a regular file, links followed. */
  read(path: string): string | undefined {
    const entry = this.#entries.get(this.#follow(path));
    return entry?.type === "file" ? entry.content : undefined;
  }

  /** Whether something is there, links followed, that is no regular file. */
  isOdd(path: string): boolean {
    const entry = this.#entries.get(this.#follow(path));
    return entry !== undefined && entry.type !== "file";
  }

  digest(path: string): string | undefined {
    const text = this.read(path);
    return text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
  }

  paths(): readonly string[] {
    return [...this.#entries.keys()].toSorted();
  }

  /** By rename: what is at the path is replaced, unless it is a directory. */
  write(path: string, content: string, attributes: Attributes = {}): void {
    if (this.#entries.get(path)?.type === "directory") throw new FileTrouble(`${path}: Is a directory`);
    this.#needParent(path);
    this.#entries.set(path, { type: "file", content, target: undefined, ...given(attributes, "0644") });
  }

  symlink(path: string, target: string): void {
    if (this.#entries.get(path)?.type === "directory") throw new FileTrouble(`${path}: Is a directory`);
    this.#needParent(path);
    this.#entries.set(path, { type: "symlink", content: "", target, ...given({}, "0777") });
  }

  /** With its parents. One that is there keeps what is not given. */
  directory(path: string, attributes: Attributes = {}): void {
    const found = this.#entries.get(path);
    if (found && found.type !== "directory") throw new FileTrouble(`${path}: File exists`);
    if (path !== "/" && !found) this.directory(dirname(path));
    const kept = found ?? { type: "directory", content: "", target: undefined, ...given({}, "0755") };
    this.#entries.set(path, { ...kept, ...only(attributes) });
  }

  /** Something that is neither file, directory nor link. */
  socket(path: string): void {
    this.#needParent(path);
    this.#entries.set(path, { type: "other", content: "", target: undefined, ...given({}, "0755") });
  }

  attributes(path: string, attributes: Attributes): void {
    const found = this.#entries.get(path);
    if (!found) throw new FileTrouble(`${path}: No such file or directory`);
    this.#entries.set(path, { ...found, ...only(attributes) });
  }

  remove(path: string): void {
    for (const found of this.#entries.keys()) {
      if (found === path || found.startsWith(`${path}/`)) this.#entries.delete(found);
    }
  }

  #follow(path: string, depth = 0): string {
    const target = this.#entries.get(path)?.target;
    if (target === undefined || depth > 40) return path;
    return this.#follow(resolve(join(path, ".."), target), depth + 1);
  }

  #needParent(path: string): void {
    const parent = this.#entries.get(this.#follow(dirname(path)));
    if (parent?.type !== "directory") throw new FileTrouble(`${path}: No such file or directory`);
  }
}

function only({ mode, owner, group }: Attributes): Partial<Pick<Entry, "mode" | "owner" | "group">> {
  return {
    ...(mode !== undefined && { mode }),
    ...(owner !== undefined && { owner }),
    ...(group !== undefined && { group }),
  };
}

function given(attributes: Attributes, usual: string): Pick<Entry, "mode" | "owner" | "group"> {
  return { mode: usual, owner: "root", group: "root", ...only(attributes) };
}
