import type { Errand } from "../../core/host.ts";
import type { Attributes } from "../../core/task.ts";
import { quote, quoteWord } from "../quote.ts";
import { sha256 } from "./payload.ts";
import { refusal } from "./refusal.ts";
import { remotePath } from "./remote-path.ts";

type FileAction = Exclude<Errand, { readonly kind: "run" }>;

/** What the plan was made on, as the far side's `unchanged` takes it. */
type Expected = string;

/** Shell text of an order on a path; `source` is shell text that puts the content on standard output. */
export function fileOrder(action: FileAction, expects: string | null | undefined, source: string): string {
  const path = remotePath(action.path);
  const expected = expects === undefined ? "any" : (expects ?? "absent");
  const call = callFor(action, path, expected);
  return `${"text" in action || "source" in action ? `${source} | ` : ""}${call}; land_file`;
}

function callFor(action: FileAction, path: string, expected: Expected): string {
  switch (action.kind) {
    case "write":
      return put(path, sha256(action.text), expected, action);
    case "upload":
      return put(path, action.source.sha256, expected, action);
    case "symlink":
      if (action.target === "") throw refusal(`symlink ${path}`, "a target must not be empty");
      return quote(["put_link", path, action.target, expected]);
    case "directory":
      return quote([
        "put_directory",
        path,
        ownership({ owner: action.owner ?? "root", group: action.group ?? "root" }),
        modeBits(action.mode ?? "0755"),
        ownership(action),
        modeBits(action.mode),
      ]);
    case "attributes":
      return `${quote(["set_attributes", path, ownership(action), modeBits(action.mode)])} 2>&1`;
    case "remove":
      if (isPillar(path)) throw refusal(`remove ${path}`, "no system stands without it");
      return quote(["remove", path, expected]);
    default:
      return action satisfies never;
  }
}

function put(path: string, digest: string, expected: Expected, attributes: Attributes): string {
  if (path === "/") throw refusal('"/"', "a file must have a name");
  const owner = ownership({ owner: attributes.owner ?? "root", group: attributes.group ?? "root" });
  return `put ${quoteWord(path)} ${quote([digest, expected, owner, modeBits(attributes.mode ?? "0644")])}`;
}

/** `owner:group` for chown; empty when neither is given. */
function ownership({ owner, group }: Attributes): string {
  for (const name of [owner, group]) {
    if (name !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.$-]*$/.test(name)) {
      throw refusal(JSON.stringify(name), "must be the name of a user or group");
    }
  }
  return group === undefined ? (owner ?? "") : `${owner ?? ""}:${group}`;
}

function modeBits(mode: string | undefined): string {
  if (mode !== undefined && !/^[0-7]{4}$/.test(mode)) {
    throw refusal(`mode ${JSON.stringify(mode)}`, "must be four octal digits");
  }
  return mode ?? "";
}

/** The root, and what it cannot do without. */
function isPillar(path: string): boolean {
  return /^\/(?:bin|boot|dev|etc|home|lib(?:32|64|x32)?|proc|root|run|sbin|sys|usr|var)?$/.test(path);
}
