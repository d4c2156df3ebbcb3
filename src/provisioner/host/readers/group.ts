import type { FactAnswer } from "../../core/facts.ts";
import type { GroupEntry } from "../../core/task.ts";
import { quote } from "../quote.ts";
import { rowsOf, whyNoAccount } from "./accounts.ts";
import { absent, usual, whyFailed, type Reader } from "./reader.ts";

/** Groups, by one getent. */
export const group: Reader = {
  kind: "group",
  ...usual,
  refuse: whyNoAccount,
  script: (names) => `t getent group -- ${quote(names)}`,

  parse(section, names) {
    const failed = whyFailed(section, [0, 2]);
    const rows = new Map(rowsOf(section.stdout.toString(), 4).map((row) => [row[0], row]));
    return names.map((name): FactAnswer => {
      if (failed) return { unknown: failed };
      const row = rows.get(name);
      if (!row) return absent;
      const members = (row[3] ?? "").split(",").filter((member) => member !== "");
      return { value: { gid: Number(row[2]), members } satisfies GroupEntry };
    });
  },
};
