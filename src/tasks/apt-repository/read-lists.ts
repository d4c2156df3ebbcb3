import { type Action, write } from "../../provisioner/core/task.ts";
import { waitForLocks } from "../scripts/wait-for-locks.ts";
import { STAMPS, stampFile } from "./files.ts";

const TRIAL = "/var/lib/provision/trial";

/** Reads this repository's lists alone; those of the others stay. */
const REFRESH = `
set -u
${waitForLocks()}
wait_for_locks "$1"
exec apt-get -q -o Acquire::Retries=3 -o APT::Update::Error-Mode=any -o APT::Get::List-Cleanup=false \\
  -o Dir::Etc::sourcelist="$2" -o Dir::Etc::sourceparts=- update
`;

/** On trial first: sources that cannot be read would stop every later update of the whole machine. */
export function readLists(name: string, sources: string, stamp: string): readonly Action[] {
  const trial = `${TRIAL}/${name}.sources`;
  const argv = ["sh", "-c", REFRESH, "provision-apt-update", "600", trial] as const;
  return [
    { kind: "directory", path: TRIAL },
    write(trial, sources),
    { kind: "run", detached: true, timeoutMs: 1_800_000, command: { argv } },
    { kind: "remove", path: TRIAL },
    { kind: "directory", path: STAMPS },
    write(stampFile(name), stamp),
  ];
}
