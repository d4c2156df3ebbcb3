import { guardRoot, type ConfirmAction, type GuardAction } from "./guard.ts";
import type { RunAction } from "./task.ts";

/** Exit codes by which a machine says that it has taken a change back, or has failed to. */
export const takenBackCode = 3;
export const notTakenBackCode = 4;

/** A call may have to wait until the machine has taken a change back. */
const timeoutMs = 300_000;

/**
 * Arms a guard. `token` names the run: a change that was taken back is not begun again by the same run, whatever it
 * missed meanwhile. Where the guard is armed already, it keeps what it has kept, and its time begins anew.
 */
export function armRun({ name, seconds, keeps, restore }: GuardAction, token: string): RunAction {
  return call("arm", [name, token, String(seconds), ...keeps], takeBackScript(name, restore));
}

/** Ends a guard; also done when there is none any more and nothing was taken back. */
export function confirmRun({ name }: Pick<ConfirmAction, "name">): RunAction {
  return call("confirm", [name]);
}

/** Takes a guarded change back at once. */
export function takeBackRun(name: string): RunAction {
  return call("take-back", [name]);
}

function call(verb: string, args: readonly string[], stdin?: string): RunAction {
  const argv = ["sh", "-c", guardScript(), "provision-guard", verb, ...args] as const;
  return { kind: "run", timeoutMs, command: { argv, ...(stdin !== undefined && { stdin }) } };
}

/**
 * What a guard does on the target: `arm NAME TOKEN SECONDS PATH…`, `confirm NAME`, `take-back NAME`. A guard is a
 * directory, place/NAME: index and files (what is kept), script (what takes it back), token, unit. One that took its
 * change back leaves place/NAME.taken-back: token, exit code, what was printed.
 */
export function guardScript(place = guardRoot): string {
  return `
umask 077
verb=$1 name=$2 place=${place}
here=$place/$name record=$place/$name.taken-back
shift 2

# How it ended, for those who come too late.
tell() {
  code=$(sed -n 2p "$record")
  [ "$code" != 0 ] || exit ${takenBackCode}
  sed 1,2d "$record"
  exit ${notTakenBackCode}
}

# Each path once: what an earlier attempt has kept is older, and stays.
keep() {
  dir=$1
  shift
  for path; do
    ! sed 's/^[a-z]* //' "$dir/index" | grep -qxF -- "$path" || continue
    count=$(($(wc -l <"$dir/index") + 1)) was=absent
    if [ -e "$path" ] || [ -L "$path" ]; then
      was=kept
      cp -a -- "$path" "$dir/files/$count" || return
    fi
    printf '%s %s\\n' "$was" "$path" >>"$dir/index" || return
  done
}

arm() {
  token=$1 seconds=$2 isNew= unit=provision-guard-$name-$$
  shift 2
  [ ! -e "$record" ] || [ "$(sed -n 1p "$record")" != "$token" ] || tell
  if [ -d "$here" ]; then
    keep "$here" "$@" || exit 1
  else
    isNew=1
    rm -rf "$here.new" "$record"
    mkdir "$here.new" "$here.new/files" && : >"$here.new/index" && cat >"$here.new/script" || exit 1
    keep "$here.new" "$@" && mv -T "$here.new" "$here" || exit 1
  fi
  echo "$token" >"$here/token"
  # The new timer runs before the old one ends: there is no moment without.
  systemd-run --quiet --collect --unit="$unit" --description="Takes a change of $name back unless it is confirmed" \\
    --on-active="\${seconds}s" --timer-property=AccuracySec=1s --property=Type=oneshot \\
    /bin/sh "$here/script" || { [ -z "$isNew" ] || rm -rf "$here"; exit 1; }
  old=$(cat "$here/unit" 2>/dev/null)
  echo "$unit" >"$here/unit"
  # Its service too: it may have begun, and waits for us with the lock.
  [ -z "$old" ] || systemctl stop "$old.timer" "$old.service" 2>/dev/null || :
}

confirm() {
  if [ -d "$here" ]; then
    unit=$(cat "$here/unit")
    rm -rf "$here"
    systemctl stop "$unit.timer" 2>/dev/null || :
  elif [ -e "$record" ]; then
    tell
  fi
}

mkdir -p -m 700 "$place" || exit 1
if [ "$verb" = take-back ]; then
  [ -d "$here" ] || exit 0
  # Waits for the end; a timer that comes to it meanwhile starts nothing more.
  systemctl start "$(cat "$here/unit").service"
  exit
fi
exec 9>"$place/$name.lock"
flock -w 240 9 || { echo "$name: another change of it is under way" >&2; exit 1; }
"$verb" "$@"
`;
}

/** What the timer starts. Whoever confirms holds the same lock: of the two, one comes first, and the other sees it. */
export function takeBackScript(name: string, restore: string, place = guardRoot): string {
  return `#!/bin/sh
umask 077
place=${place} name=${name}
here=$place/$name record=$place/$name.taken-back
exec 9>"$place/$name.lock"
flock 9
[ -d "$here" ] || exit 0

put_back() {
  count=0
  while IFS=' ' read -r was path; do
    count=$((count + 1))
    if [ "$was" = absent ]; then
      rm -f -- "$path" || return
    else
      cp -a -- "$here/files/$count" "$path.provision" && mv -fT -- "$path.provision" "$path" || return
    fi
  done <"$here/index"
}

restore() (
umask 022
${restore}
)

for pause in 2 5 10 0; do
  # Without the lock: what is started here may live on.
  { put_back && restore; } >"$here/log" 2>&1 9>&-
  code=$?
  [ "$code" != 0 ] || break
  sleep "$pause"
done
unit=$(cat "$here/unit")
{ cat "$here/token"; echo "$code"; tail -n 20 "$here/log"; } >"$record.new" && mv -f "$record.new" "$record"
rm -rf "$here"
cat "$record"
systemctl stop --no-block "$unit.timer" 2>/dev/null
exit "$code"
`;
}
