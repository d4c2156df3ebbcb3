import { join } from "node:path";

import { writeSpec } from "../write-spec.ts";
import type { Action } from "./cells.ts";
import type { Contender } from "./contender.ts";
import { eachMachine } from "./each-machine.ts";

/** `provision apply` as people run it: a process for each machine. */
export const provision: Contender = {
  name: "provision",
  async prepare({ action, items, fleet, folder, root, drifted }) {
    const spec = await writeSpec(items, folder);
    const main = join(root, "dist/provisioner/main.js");
    const check = action === "check" ? " --check" : "";
    const wanted = action === "check" ? 3 : 0;
    const { argv, printed } = await eachMachine(fleet.members, folder, ({ port, identity, knownHosts }) =>
      [
        `${process.execPath} ${main} apply --spec ${spec} --target root@127.0.0.1:${port} \\`,
        `  --identity ${identity} --known-hosts ${knownHosts}${check}`,
        `[ $? -eq ${wanted} ]`,
      ].join("\n"),
    );
    return {
      argv,
      options: { env: { ...process.env, XDG_STATE_HOME: join(folder, "state"), SSH_AUTH_SOCK: "" } },
      async judge() {
        for (const text of await printed())
          if (!saysRight(text, action, drifted)) throw new Error(`provision says:\n${text}`);
      },
    };
  },
};

function saysRight(text: string, action: Action, drifted: number): boolean {
  switch (action) {
    case "first":
      return /\b[1-9]\d* changes\b/.test(text);
    case "no-op":
      return /\b0 changes\b.*\b1 flight\b/.test(text);
    case "check":
      return new RegExp(String.raw`\b${drifted} changes to make\b.*\b1 flight\b`).test(text);
    default:
      return action satisfies never;
  }
}
