import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { checkScript, makeScript, settledWords } from "../scripts.ts";
import { type Contender, plainSsh } from "./contender.ts";
import { eachMachine } from "./each-machine.ts";

/** A script by hand, sent by one `ssh host sh -s`. */
export const floor: Contender = {
  name: "script",
  async prepare({ action, items, fleet, folder }) {
    const script = join(folder, "script");
    await writeFile(script, action === "first" ? makeScript(items) : checkScript(items));
    const options = Object.entries({ ...plainSsh, ControlPath: "none" }).map(
      ([name, value]) => `-o ${name}=${value}`,
    );
    const wanted = action === "check" ? 1 : 0;
    const { argv, printed } = await eachMachine(fleet.members, folder, ({ port, identity, knownHosts }) =>
      [
        `ssh -F none ${options.join(" ")} -o UserKnownHostsFile=${knownHosts} -i ${identity} -p ${port} \\`,
        `  root@127.0.0.1 'sh -s' <${script}`,
        `[ $? -eq ${wanted} ]`,
      ].join("\n"),
    );
    return {
      argv,
      async judge() {
        for (const text of await printed()) {
          const isSettled = text.trim().endsWith(action === "first" ? "made" : settledWords);
          if (isSettled === (action === "check")) throw new Error(`The script says:\n${text}`);
        }
      },
    };
  },
};
