import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Member } from "./fleet.ts";

/** As many as tuned Ansible works on at one time. */
export const width = 20;

/** Programs that do one machine each, as one that does all of them side by side. */
export interface EachMachine {
  readonly argv: readonly [string, ...string[]];
  /** What was printed for each. */
  readonly printed: () => Promise<readonly string[]>;
}

/** Writes a script for each machine; `lines` must end with whatever exit code is the right one. */
export async function eachMachine(
  members: readonly Member[],
  folder: string,
  script: (member: Member) => string,
  atOnce = width,
): Promise<EachMachine> {
  const place = (at: number, what: string) => join(folder, `${at}.${what}`);
  for (const [at, member] of members.entries())
    await writeFile(place(at, "sh"), `exec >${place(at, "out")} 2>&1\n${script(member)}\n`);
  const all = `seq 0 ${members.length - 1} | xargs -P ${atOnce} -I @ sh ${folder}/@.sh`;
  return {
    argv: members.length === 1 ? ["sh", place(0, "sh")] : ["sh", "-c", all],
    printed: () => Promise.all(members.map((_, at) => readFile(place(at, "out"), "utf8"))),
  };
}
