import { type Command, type Output, Refusal } from "../../provisioner/core/task.ts";
import { lookScript } from "./look-script.ts";
import type { Params } from "./schema.ts";

/** How a user's checkout and links stand. */
export interface Found {
  /** The user's home; `undefined` where there is no machine yet. */
  readonly home: string | undefined;
  readonly hasUser: boolean;
  readonly hasHome: boolean;
  readonly hasGit: boolean;
  readonly checkout: Checkout;
  readonly links: ReadonlyMap<string, LinkState>;
}

/** What is where the checkout is to be. */
export interface Checkout {
  /** `foreign` is something that git did not make. */
  readonly kind: "absent" | "present" | "foreign";
  /** What git says when it cannot read it. */
  readonly broken: string | undefined;
  /** Address it fetches from. */
  readonly url: string | undefined;
  /** Commit that is checked out. */
  readonly head: string | undefined;
  /** What is half done: a rebase, a merge. */
  readonly busy: string | undefined;
  /** Files with changes, the first of them. */
  readonly dirty: readonly string[];
  /** How many commits no remote has. */
  readonly ahead: number;
}

/** What is where a link is to be. Names are below the home. */
export interface LinkState {
  readonly type: "absent" | "right" | "link" | "file" | "directory" | "other";
  /** Where a link leads. */
  readonly target: string | undefined;
  /** The name that something in the way gets. */
  readonly free: string;
  /** The newest thing that once was in the way. */
  readonly kept: string | undefined;
  /** Something above it that is no directory. */
  readonly blocked: string | undefined;
  /** A directory above it that is in the checkout. */
  readonly inside: string | undefined;
}

/** The commit that a use wants. */
export function commitOf({ ref, commit }: Pick<Params, "ref" | "commit">): string {
  return commit ?? ref;
}

/** Where the checkout is, as the use says it. */
export function placeOf({ path }: Pick<Params, "path">): string {
  return path ?? "~/.dotfiles";
}

/** Asks for all of it at once; where all is to go, for the links alone. */
export function lookAt(params: Params): Command {
  const pairs = Object.entries(params.links ?? {}).flat();
  const commit = params.state === "absent" ? "" : commitOf(params);
  const words = [params.user, placeOf(params), commit, ...pairs];
  return { argv: ["sh", "-c", lookScript, "provision-dotfiles-look", ...words] };
}

/** Reads the answer. Where no program answers at all, there is no machine yet. */
export function readLook({ code, stdout, stderr }: Output): Found {
  if (code !== 0 && code !== 127)
    throw new Refusal(`the home must be readable, is not: ${stderr.trim()}; look at it there`);
  const found = draft();
  const checkout = found.checkout;
  let link: LinkDraft = { ...unseen };
  if (code === 127) Object.assign(found, { hasUser: true, hasHome: true, hasGit: true });
  for (const line of stdout.split("\n")) {
    const [word, rest] = cut(line);
    switch (word) {
      case "home":
        Object.assign(found, { home: rest, hasUser: true, hasHome: true });
        break;
      case "homeless":
        found.hasHome = false;
        break;
      case "git":
        found.hasGit = true;
        break;
      case "checkout":
        checkout.kind = "present";
        break;
      case "foreign":
        checkout.kind = "foreign";
        break;
      case "broken":
      case "url":
      case "head":
      case "busy":
        checkout[word] = rest;
        break;
      case "dirty":
        checkout.dirty.push(rest);
        break;
      case "ahead":
        checkout.ahead = Number(rest);
        break;
      case "link":
        found.links.set(rest, (link = { ...unseen }));
        break;
      case "target":
        Object.assign(link, { type: "link", target: rest });
        break;
      case "right":
      case "file":
      case "directory":
      case "other":
        link.type = word;
        break;
      case "free":
      case "kept":
      case "blocked":
      case "inside":
        link[word] = rest;
    }
  }
  return found;
}

/** What nothing is known of. */
function draft() {
  return {
    home: undefined as string | undefined,
    hasUser: false,
    hasHome: false,
    hasGit: false,
    checkout: {
      kind: "absent" as Checkout["kind"],
      broken: undefined as string | undefined,
      url: undefined as string | undefined,
      head: undefined as string | undefined,
      busy: undefined as string | undefined,
      dirty: [] as string[],
      ahead: 0,
    },
    links: new Map<string, LinkDraft>(),
  };
}

type LinkDraft = { -readonly [Key in keyof LinkState]: LinkState[Key] };

/** Nothing there, where nobody looked. */
export const unseen: LinkState = {
  type: "absent",
  target: undefined,
  free: "",
  kept: undefined,
  blocked: undefined,
  inside: undefined,
};

/** A word, and what comes after the blank. */
function cut(line: string): readonly [string, string] {
  const blank = line.indexOf(" ");
  return blank === -1 ? [line, ""] : [line.slice(0, blank), line.slice(blank + 1)];
}
