import type { FileStat } from "../../core/task.ts";
import { whyNoPath } from "../orders/remote-path.ts";
import { findPaths, unprinted } from "./find-paths.ts";
import { usual, type Reader } from "./reader.ts";

const fields = ["%p", "%y", "%m", "%u", "%g", "%s", "%l"];

/** Paths themselves, by one find. */
export const stat: Reader = {
  kind: "stat",
  ...usual,
  refuse: whyNoPath,
  script: (paths) => findPaths(paths, false, `-printf '${fields.join("\\0")}\\0'`),

  parse(section, paths) {
    const known = new Map<string, FileStat>();
    const words = section.stdout.toString().split("\0");
    for (let at = 0; at + fields.length < words.length; at += fields.length) {
      const [path = "", type = "", mode = "", owner = "", group = "", size, target] = words.slice(at);
      known.set(path, {
        type: typeOf(type),
        mode: mode.padStart(4, "0"),
        owner,
        group,
        size: Number(size),
        target: type === "l" ? target : undefined,
      });
    }
    const others = unprinted(
      section,
      paths.filter((path) => !known.has(path)),
    );
    return paths.map((path) => others.get(path) ?? { value: known.get(path) });
  },
};

function typeOf(letter: string): FileStat["type"] {
  if (letter === "f") return "file";
  if (letter === "d") return "directory";
  return letter === "l" ? "symlink" : "other";
}
