import { type Command, run, type RunAction } from "../../provisioner/core/task.ts";
import { files, programs } from "./files.ts";

const LOOK = `for program in "$@"; do [ ! -x "$program" ] || { echo "$program"; exit 0; }; done`;

/** Asks where the program is. */
export const lookCommand: Command = { argv: ["sh", "-c", LOOK, "provision-fluent-bit-look", ...programs] };

/** Has fluent-bit itself read a text. In the place of secrets there are words: what they are is not its business. */
export function checkText(program: string, text: string, names: readonly string[]): RunAction {
  const { kind, command } = run("sh", "-c", CHECK, "provision-fluent-bit-check", program, files.directory);
  const env = Object.fromEntries(["HOSTNAME", ...names].map((name) => [name, "placeholder"]));
  return { kind, touches: [], command: { ...command, env, stdin: text } };
}

/**
 * Beside the place that it is for: what it includes is looked for from there. Some versions say that a text with
 * errors is a success.
 */
const CHECK = `
set -eu
program=$1 dir=$2
umask 077
mkdir -p "$dir"
new=$dir/.settings.new
trap 'rm -f "$new" "$new.said"' EXIT
cat >"$new"
code=0
"$program" --dry-run -c "$new" >"$new.said" 2>&1 || code=$?
if [ "$code" = 0 ] && ! grep -qiE '^\\[.*\\[ *error *\\]' "$new.said"; then exit 0; fi
cat "$new.said" >&2
echo "fluent-bit must accept its new settings, does not; the old ones stay" >&2
exit 1
`;
