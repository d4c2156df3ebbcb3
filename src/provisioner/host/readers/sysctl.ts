import type { FactAnswer } from "../../core/facts.ts";
import { quote } from "../quote.ts";
import { absent, lines, usual, whyFailed, type Reader } from "./reader.ts";

/**
 * Kernel settings from /proc/sys, by one grep that prints every line behind its path. Not by sysctl(8): one
 * unknown key spoils its exit code. Not by the shell's `read`: that asks for a byte at a time, and the
 * kernel gives most settings only to the first.
 */
export const sysctl: Reader = {
  kind: "sysctl",
  ...usual,
  refuse: (key) =>
    /^[A-Za-z0-9_@:-][A-Za-z0-9_./@:-]*$/.test(key) && !/\/\/|\.\.|[./]$/.test(key)
      ? undefined
      : "is not the name of a kernel setting",
  script: (keys) => `t grep -aHZ '' -- ${quote(keys.map(settingPath))}`,

  parse(section, keys) {
    const values = new Map<string, string>();
    for (const line of lines(section.stdout.toString())) {
      const [path = "", value = ""] = line.split("\0");
      const before = values.get(path);
      values.set(path, before === undefined ? value : `${before}\n${value}`);
    }
    const said = lines(section.stderr);
    const complaints = new Map(
      said.flatMap((line): [string, string][] => {
        const found = /^grep: (\/proc\/sys\/.+): (.+)$/.exec(line);
        return found ? [[found[1] ?? "", found[2] ?? ""]] : [];
      }),
    );
    // Code 2 is all right when each word of it is about a setting.
    const explained = said.length > 0 && complaints.size === said.length;
    const failed = whyFailed(section, explained ? [0, 1, 2] : [0, 1]);
    return keys.map((key): FactAnswer => {
      const path = settingPath(key);
      if (failed) return { unknown: failed };
      const complaint = complaints.get(path);
      if (complaint === "No such file or directory" || complaint === "Not a directory") return absent;
      if (complaint !== undefined) return { unknown: complaint };
      // A setting that is empty to the last byte has no line to print.
      return { value: values.get(path) ?? "" };
    });
  },
};

/** As sysctl(8) takes keys: with a dot as first separator, a slash stands for a dot within a name. */
function settingPath(key: string): string {
  const dotted = /^[^./]*\./.test(key);
  const path = dotted ? key.replaceAll(/[./]/g, (mark) => (mark === "." ? "/" : ".")) : key;
  return `/proc/sys/${path}`;
}
