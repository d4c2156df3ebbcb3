import { run, type RunAction } from "../../provisioner/core/task.ts";
import { FILE } from "./files.ts";

/** Brings what the files say into effect; the same when the machine takes a change back. */
export const APPLY = "netplan apply";

/**
 * Refuses a text that netplan does not take, beside the other files that there are, and cards that the machine does
 * not have: netplan would say nothing of those, and the next boot would be without a network. Puts nothing in place.
 */
export function checkText(text: string, macs: readonly string[]): RunAction {
  const check = run("sh", "-c", CHECK, "provision-netplan-check", ...macs);
  return { ...check, command: { ...check.command, stdin: text }, touches: [] };
}

/** It must not end with the connection that it may cut, and must end before its guard takes it back. */
export function applyFiles(): RunAction {
  return { ...run("sh", "-c", APPLY, "provision-netplan"), detached: true, timeoutMs: 90_000 };
}

const CHECK = `
command -v netplan >/dev/null || {
  echo "netplan must be installed: put the use \\\`apt: {name: network, present: [netplan.io]}\\\` before this one" >&2
  exit 127
}
for mac; do
  grep -qixF -- "$mac" /sys/class/net/*/address || {
    echo "no network card has the hardware address $mac; there are:" >&2
    grep -H . /sys/class/net/*/address | sed 's|/sys/class/net/||; s|/address:|: |' >&2
    exit 1
  }
done
root=$(mktemp -d) || exit
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/netplan" || exit
for file in /etc/netplan/*.yaml; do
  [ ! -e "$file" ] || cp -p "$file" "$root/etc/netplan" || exit
done
umask 077
cat >"$root${FILE}" || exit
said=$(netplan generate --root-dir "$root" 2>&1)
code=$?
[ "$code" = 0 ] || printf '%s\\n' "$said" | sed "s|$root||g" >&2
exit "$code"
`;
