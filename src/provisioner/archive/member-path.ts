import { Refusal } from "./refusal.ts";

/** PATH_MAX is 4096 with the directory that is unpacked into; NAME_MAX is 255. */
const PATH_BYTES = 3072;
const NAME_BYTES = 255;

/** The segments of a member's path; none for the archive's root. Throws for a path that is not plain and relative. */
export function memberPath(path: string): readonly string[] {
  const fault = textFault(path) ?? (path.startsWith("/") ? "must be relative, is absolute" : undefined);
  if (fault !== undefined) throw new Refusal("content", fault, { entry: path });
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  for (const segment of segments) {
    if (segment === "..") throw new Refusal("content", 'must not hold ".."', { entry: path });
    if (Buffer.byteLength(segment) > NAME_BYTES)
      throw new Refusal("content", `must not have names longer than ${NAME_BYTES} bytes`, { entry: path });
  }
  return segments;
}

/** Throws for a place that a symbolic link must not point to, whatever is there. */
export function vetLinkTarget(target: string, entry: string): void {
  const fault = textFault(target) ?? (target.startsWith("/") ? "is absolute" : undefined);
  if (fault !== undefined)
    throw new Refusal("content", `must point into the archive, its target ${fault}`, { entry });
}

function textFault(text: string): string | undefined {
  if (text === "") return "must not be empty";
  if (text.includes("\0")) return "must not hold a NUL byte";
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) return "must not hold control characters";
  if (text.includes("\\")) return "must not hold a backslash";
  if (text.includes("\uFFFD")) return "must be UTF-8";
  if (Buffer.byteLength(text) > PATH_BYTES) return `must not be longer than ${PATH_BYTES} bytes`;
  return undefined;
}
