import type { Action, ToolArtifact, ToolPin } from "../../../provisioner/core/task.ts";
import { type Account, asUser } from "../as-user.ts";

/** The order that puts a file of a tool into a directory. */
export function fetching(file: ToolArtifact, directory: string, mode = "0600"): Action {
  return { kind: "fetch", path: `${directory}/${file.sha256}`, file, mode };
}

/** Where files wait that are sent to a user. */
export function waitingRoom({ name }: Pick<Account, "name">): string {
  return `/var/lib/provision/incoming/${name}`;
}

/** Root writes nothing into a directory of a user: what is sent waits elsewhere, and they take it from there. */
export function sending(
  artifacts: ToolPin["artifacts"],
  incoming: string,
  account: Account,
): readonly Action[] {
  const room = waitingRoom(account);
  const take = { argv: ["sh", "-c", takeScript, "provision-tools-take", room, incoming] } as const;
  return [
    { kind: "directory", path: room, mode: "0755" },
    ...artifacts.map((file) => fetching(file, room, "0644")),
    {
      kind: "run",
      touches: ["file", "stat", "digest", "query"],
      timeoutMs: 600_000,
      command: asUser(account, take),
    },
    { kind: "remove", path: room },
  ];
}

/** Copies files: `provision-tools-take FROM TO`. */
const takeScript = `
cp -- "$1"/* "$2"
`;
