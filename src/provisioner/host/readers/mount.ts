import type { FactAnswer } from "../../core/facts.ts";
import type { MountEntry } from "../../core/task.ts";
import { whyNoPath } from "../orders/remote-path.ts";
import { absent, lines, usual, whyFailed, type Reader } from "./reader.ts";

/** What is mounted where, from the kernel's own list. */
export const mount: Reader = {
  kind: "mount",
  ...usual,
  refuse: whyNoPath,
  script: () => "t cat /proc/self/mountinfo",

  parse(section, targets) {
    const failed = whyFailed(section);
    // Later lines are mounted over earlier ones.
    const mounts = new Map(lines(section.stdout.toString()).map((line) => entryOf(line)));
    return targets.map((target): FactAnswer => {
      if (failed) return { unknown: failed };
      const entry = mounts.get(target === "/" ? target : target.replace(/\/+$/, ""));
      return entry ? { value: entry } : absent;
    });
  },
};

/** `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/vda1 rw,errors=continue`. */
function entryOf(line: string): [string, MountEntry] {
  const [before = "", after = ""] = line.split(" - ", 2);
  const [, , , , point = "", own = ""] = before.split(" ");
  const [fsType = "", source = "", shared = ""] = after.split(" ");
  const options = [...new Set([...own.split(","), ...shared.split(",")])].filter((option) => option !== "");
  return [unescape(point), { source: unescape(source), fsType: unescape(fsType), options }];
}

/** Space, tab, newline, backslash and hash stand in octal; the bytes around them are UTF-8. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
