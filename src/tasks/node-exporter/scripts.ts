import type { Command, RunAction } from "../../provisioner/core/task.ts";

/** A host and a port. */
export type Place = readonly [string, string];

/** Asks which of these places answer; they are printed, a line each. */
export function lookCommand(places: readonly Place[]): Command {
  return { argv: ["sh", "-c", ASK, "provision-node-exporter-look", "3", ...places.flat()] };
}

/** How long a server that runs may take until it listens, in tenths of a second. */
const PATIENCE = "100";

/** Waits until all of these places answer. */
export function proveAnswers(places: readonly Place[]): RunAction {
  const argv = ["sh", "-c", ASK, "provision-node-exporter-ask", PATIENCE, ...places.flat()] as const;
  return { kind: "run", command: { argv }, touches: ["query"] };
}

/**
 * A first line of HTTP is proof enough, whatever it says: a name may be asked for, or TLS be spoken, which a server
 * in Go says in plain words. It then hangs up at the request's first line, and what else bash writes goes nowhere. bash
 * can ask alone: no other program need be there.
 */
const ASK = `
patience=$1
shift
ask() {
  timeout 5 bash -c '
    trap "" PIPE
    exec 3<>"/dev/tcp/$1/$2" || exit
    printf "GET / HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n" >&3
    IFS= read -r line <&3
    case $line in "HTTP/"*) ;; *) exit 1 ;; esac
  ' ask "$1" "$2" 2>/dev/null
}
silent=
while [ $# -gt 0 ]; do
  left=$patience
  until ask "$1" "$2"; do
    [ "$left" != 0 ] || { silent="$silent $1:$2"; shift 2; continue 2; }
    left=$((left - 1))
    sleep 0.1
  done
  echo "answers $1 $2"
  shift 2
done
case $0 in *-look) exit 0 ;; esac
[ -z "$silent" ] || { echo "node_exporter must answer HTTP, does not on:$silent" >&2; exit 1; }
`;
