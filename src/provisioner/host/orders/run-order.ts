import type { RunAction } from "../../core/task.ts";
import { quote, quoteWord, whyUnsendable } from "../quote.ts";
import { sha256 } from "./payload.ts";
import { describeAction, refusal } from "./refusal.ts";

/** Shell text of a program to run; `source` is shell text that puts its standard input on standard output. */
export function runOrder(action: RunAction, source: string): string {
  const limit = runLimitMs(action);
  const call = `perform ${seconds(limit)} ${centiseconds(limit)} ${quote(action.command.argv)}`;
  return [
    `${source} >"$d/in"`,
    `( ${exports(action)}${call} ) <"$d/in"`,
    `read -r rc late <"$d/rc"`,
    verdict(action),
  ].join("\n");
}

/** The same for one that outlives the connection, under the order's id. */
export function jobOrder(action: RunAction, id: string, source: string): string {
  if (/[^\x20-\x7e]/.test(id) || id === "")
    throw refusal(describeAction(action), "its id must be one line of ASCII");
  const name = `${id.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, 80)}-${sha256(id).slice(0, 12)}`;
  const digest = sha256(JSON.stringify([id, action.command, runLimitMs(action)]));
  return [
    `rm -rf "$d/job"; mkdir -m 700 "$d/job"`,
    `${source} >"$d/job/in"; : >"$d/job/log"`,
    `printf '%s\\n' "$run" ${digest} >"$d/job/nonce"; printf '%s\\n' ${quoteWord(id)} >"$d/job/id"`,
    `printf %s ${quoteWord(runner(action))} >"$d/job/run"`,
    `job ${name} ${digest}`,
    verdict(action),
  ].join("\n");
}

/** The bound on a run's time. */
export function runLimitMs(action: RunAction): number {
  return action.timeoutMs ?? (action.detached ? 3_600_000 : 120_000);
}

/** Milliseconds as timeout(1) takes them. */
export function seconds(ms: number): string {
  return String(Math.max(ms, 10) / 1000);
}

/** Milliseconds as /proc/uptime counts them. */
export function centiseconds(ms: number): number {
  return Math.max(1, Math.floor(ms / 10));
}

/** Variables of a command, as shell text in front of it. Never on a command line: `ps` shows those to all. */
export function exports({ command }: Pick<RunAction, "command">): string {
  return Object.entries(command.env ?? {})
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        throw refusal(`variable ${JSON.stringify(name)}`, "must be a name");
      const why = whyUnsendable(value);
      if (why) throw refusal(`variable ${name}`, why);
      return `export ${name}=${quoteWord(value)}; `;
    })
    .join("");
}

function verdict(action: RunAction): string {
  const accepted = action.command.accept ?? [0];
  return [
    ...(accepted.length > 0 ? [`case $rc in ${accepted.join("|")}) word=done ;; esac`] : []),
    `[ "$late" = 0 ] || word=timed-out`,
    "land",
  ].join("\n");
}

/** The script that a job is: it claims the run, shows that it lives, runs, and keeps how it ended. */
function runner(action: RunAction): string {
  const limit = runLimitMs(action);
  return `mkdir "$1/started" 2>/dev/null || exit 0
exec 8>"$1/alive" && flock -n 8 || exit 1
echo $$ >"$1/pid.new" && mv "$1/pid.new" "$1/pid" || exit 1
up() { read -r now now_rest </proc/uptime; now=\${now%.*}\${now#*.}; }
up
begun=$now late=0
( ${exports(action)}exec timeout -k 30 ${seconds(limit)} ${quote(action.command.argv)} ) <"$1/in" >"$1/log" 2>&1 8>&-
rc=$?
[ "$rc" = 0 ] || { up; [ $((now - begun)) -lt ${centiseconds(limit)} ] || late=1; }
echo "$rc $late" >"$1/rc.new" && mv "$1/rc.new" "$1/rc"
`;
}
