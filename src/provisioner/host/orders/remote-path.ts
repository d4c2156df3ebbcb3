import { whyUnsendable } from "../quote.ts";
import { refusal } from "./refusal.ts";

/**
 * An absolute path on the target, without repeated or trailing slashes. Refused where it says less than it
 * seems to: relative ones depend on a directory nobody set, `..` behind a link leads elsewhere.
 */
export function remotePath(path: string): string {
  const why = whyNoPath(path);
  if (why) throw refusal(JSON.stringify(path), why);
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}

/** What is wrong with a path, or `undefined`. */
export function whyNoPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "a path must be absolute";
  if (path.split("/").includes("..")) return 'a path must not hold ".."';
  const why = whyUnsendable(path);
  return why && `a path ${why}`;
}
