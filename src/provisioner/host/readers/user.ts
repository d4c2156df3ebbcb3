import type { FactAnswer } from "../../core/facts.ts";
import type { UserEntry } from "../../core/task.ts";
import { quote } from "../quote.ts";
import { rowsOf, whyNoAccount } from "./accounts.ts";
import { absent, usual, whyFailed, type Reader } from "./reader.ts";

/** Users by one getent, and all groups by another: a user's groups stand with the groups. */
export const user: Reader = {
  kind: "user",
  ...usual,
  refuse: whyNoAccount,
  script: (names) => `t getent passwd -- ${quote(names)}\nt getent group`,

  parse(section, names) {
    const failed = whyFailed(section, [0, 2]);
    const text = section.stdout.toString();
    const users = new Map(rowsOf(text, 7).map((row) => [row[0], row]));
    const groups = rowsOf(text, 4);
    return names.map((name): FactAnswer => {
      if (failed) return { unknown: failed };
      const row = users.get(name);
      return row ? { value: entryOf(row, groups) } : absent;
    });
  },
};

function entryOf(row: readonly string[], groups: readonly string[][]): UserEntry {
  const [name = "", , uid, gid = "", comment = "", home = "", shell = ""] = row;
  return {
    uid: Number(uid),
    group: groups.find((group) => group[2] === gid)?.[0] ?? gid,
    comment,
    home,
    shell,
    groups: groups
      .filter((group) => group[3]?.split(",").includes(name))
      .map((group) => group[0] ?? "")
      .toSorted(),
  };
}
