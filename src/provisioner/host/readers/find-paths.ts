import type { FactAnswer } from "../../core/facts.ts";
import { quote } from "../quote.ts";
import { absent, lines, whyFailed, type Section } from "./reader.ts";

/** File systems whose files hold what the kernel says just then: no size, no end, no content to compare. */
const kernelFileSystems = [
  "proc",
  "sysfs",
  "cgroup2",
  "cgroup",
  "debugfs",
  "tracefs",
  "securityfs",
  "configfs",
];

/** One find over the paths alone; `tail` is what it does with each. */
export function findPaths(paths: readonly string[], follow: boolean, tail: string): string {
  return `t find ${follow ? "-L " : ""}${quote(paths)} -maxdepth 0 ${tail}`;
}

/** Tests of find: a regular file on a file system that keeps files. */
export const isStoredFile = ["-type f", ...kernelFileSystems.map((name) => `! -fstype ${name}`)].join(" ");

/** What a path that find follows is when it is no stored file, from its %y and %F; `undefined` when it is one. */
export function unlessStored(type: string, fileSystem: string): FactAnswer | undefined {
  // Following, find sees a link only where it leads to nothing.
  if (type === "l") return absent;
  if (type !== "f") return { unknown: "is not a regular file" };
  if (!kernelFileSystems.includes(fileSystem)) return undefined;
  return { unknown: `is on ${fileSystem}, where files have no lasting content` };
}

/**
 * What find says of the paths that it printed nothing for: absent, or unknown with the reason. It complains
 * of each once and in order; where the count does not fit, nothing is known of any.
 */
export function unprinted(section: Section, paths: readonly string[]): Map<string, FactAnswer> {
  const complaints = lines(section.stderr).filter((line) => line.startsWith("find: "));
  const failed = whyFailed(section, [0, 1]);
  if (complaints.length !== paths.length || !paths.every((path, at) => isAbout(complaints[at], path))) {
    const said = section.stderr.split("\n")[0];
    const unknown = failed ?? (said ? `find cannot tell: ${said}` : "find did not say why it is missing");
    return new Map(paths.map((path) => [path, { unknown }]));
  }
  return new Map(paths.map((path, at) => [path, answerOf(complaints[at] ?? "")]));
}

/** Plain paths are named as they are; find escapes the others, for those the order has to do. */
function isAbout(complaint: string | undefined, path: string): boolean {
  if (!/^[A-Za-z0-9_./+,:@-]+$/.test(path)) return true;
  return complaint?.startsWith(`find: '${path}': `) ?? false;
}

function answerOf(complaint: string): FactAnswer {
  const reason = complaint.slice(complaint.lastIndexOf(": ") + 2);
  if (reason === "No such file or directory" || reason === "Not a directory") return absent;
  return { unknown: reason };
}
