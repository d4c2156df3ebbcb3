import { type Command, run, type RunAction } from "../../provisioner/core/task.ts";
import { files, programs, UNIT } from "./files.ts";

const LOOK = `
for program in "$@"; do [ ! -x "$program" ] || { echo "$program"; break; }; done
! pgrep -x laurel >/dev/null || echo runs
`;

/** Asks where the program is, and whether it runs. */
export const lookCommand: Command = { argv: ["sh", "-c", LOOK, "provision-laurel-look", ...programs] };

/** Has laurel itself read a text. Whether those who may read its log are users it would ask too late. */
export function checkText(program: string, text: string, readUsers: readonly string[]): RunAction {
  const { kind, command } = run("sh", "-c", CHECK, "provision-laurel-check", program, ...readUsers);
  return { kind, touches: [], command: { ...command, stdin: text } };
}

/** Puts rules in their place and has the kernel take them; without a text they are taken away. */
export function loadRules(text: string | undefined): RunAction {
  const { kind, command } = run("sh", "-c", LOAD_RULES, "provision-audit-rules", files.rules);
  return { kind, command: { ...command, stdin: text ?? "" } };
}

/**
 * auditd reads its plugins anew and tells laurel, which starts itself anew with its next event. The signal is for
 * auditd alone: one that laurel got twice would end it.
 */
export function tellAuditd(laurel: "starts" | "stops"): RunAction {
  return run("sh", "-c", TELL, "provision-laurel-tell", UNIT, laurel);
}

const TELL = `
unit=$1 laurel=$2
systemctl kill --kill-whom=main --signal=HUP "$unit" || exit
[ "$laurel" = starts ] || exit 0
left=100
until pgrep -x laurel >/dev/null; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || {
    journalctl --no-pager --quiet --lines=20 --unit="$unit" >&2
    echo "laurel must run as a plugin of $unit, does not" >&2
    exit 1
  }
  sleep 0.1
done
`;

const CHECK = `
set -eu
program=$1
shift
for user in "$@"; do
  id -u -- "$user" >/dev/null || { echo "$user must be a user to read the log, is none: put a use of \\\`user\\\` before this one" >&2; exit 1; }
done
umask 077
new=$(mktemp)
trap 'rm -f "$new"' EXIT
cat >"$new"
"$program" --dry-run --config "$new" </dev/null >&2 || {
  echo "laurel must accept its new settings, does not; the old ones stay" >&2
  exit 1
}
`;

/** auditctl takes rules one by one up to the first that is wrong: then the old ones are loaded again. */
const LOAD_RULES = `
set -u
umask 027
file=$1
command -v augenrules >/dev/null || {
  echo "augenrules must be installed: put the use \\\`apt: {name: audit, present: [auditd]}\\\` before this one" >&2
  exit 127
}
mkdir -p "\${file%/*}" || exit
old=$(mktemp -d) || exit
trap 'rm -rf "$old"' EXIT
[ ! -e "$file" ] || cp -p "$file" "$old/rules" || exit
cat >"$old/new"
if [ -s "$old/new" ]; then cp "$old/new" "$file.new" && mv "$file.new" "$file"; else rm -f "$file"; fi || exit
code=0
augenrules --load >"$old/said" 2>&1 || code=$?
if grep -q 'immutable mode' "$old/said"; then
  cat "$old/said" >&2
  echo "the kernel takes no more rules until its next boot: reboot the machine, then run the same command again" >&2
  exit 1
fi
[ "$code" != 0 ] || exit 0
cat "$old/said" >&2
line=$(sed -n 's/^There was an error in line \\([0-9]*\\) of .*/\\1/p' "$old/said" | head -n 1)
[ -z "$line" ] || sed -n "\${line}s/^/the line: /p" /etc/audit/audit.rules >&2
if [ -e "$old/rules" ]; then cp -p "$old/rules" "$file.new" && mv "$file.new" "$file"; else rm -f "$file"; fi
augenrules --load >/dev/null 2>&1
echo "the kernel must take the new audit rules, does not; the old ones are loaded again" >&2
exit "$code"
`;
