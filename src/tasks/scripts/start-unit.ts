import { run, type RunAction } from "../../provisioner/core/task.ts";

/** What an action gets that says nothing of its time. */
const USUAL_MS = 120_000;

/**
 * Starts, restarts or reloads a unit. With `steadySeconds` it watches the unit that long: one that ends meanwhile, or
 * that systemd has to start again, has failed.
 */
export function startUnit(verb: string, unit: string, steadySeconds: number | undefined): RunAction {
  const argv = ["sh", "-c", START, "provision-systemctl", verb, unit] as const;
  if (steadySeconds === undefined) return run(...argv);
  const timeoutMs = USUAL_MS + steadySeconds * 1000;
  return { ...run(...argv, String(steadySeconds)), timeoutMs };
}

/**
 * systemctl only says that it failed; what the unit itself said is in its status. What counts are restarts after this
 * start: one that was about to be started again has some behind it, and a reload goes on counting.
 */
const START = `
verb=$1 unit=$2 steady=\${3:-0}
show() { systemctl show --property="$1" --value "$unit"; }
# The lines by the journal: status has those of the last start alone, and it may have been the one before that failed.
tell() {
  systemctl --no-pager --full --lines=0 status "$unit" >&2
  journalctl --no-pager --quiet --lines=20 --unit="$unit" >&2
}
before=$(show NRestarts)
systemctl "$verb" "$unit" || {
  code=$?
  tell
  exit "$code"
}
[ "$verb" = reload ] || before=$(show NRestarts)
second=0
while [ "$second" -lt "$steady" ]; do
  sleep 1
  second=$((second + 1))
  state=$(show ActiveState)
  count=$(show NRestarts)
  case $state in active | reloading | refreshing) [ "\${count:-0}" -gt "\${before:-0}" ] || continue ;; esac
  tell
  echo "$unit must stay active for $steady seconds, is $state after $second, restarted \${count:-0} times" >&2
  exit 1
done
`;
