import { holdersScript } from "./holders-script.ts";

/** What a window keeps on the target; in memory, so that a reboot, which closes it too, forgets it. */
export const place = "/run/provision-maintenance";

/** Who opened the window and when it ends, a line each: owner, seconds since 1970 on the target's clock. */
export const record = `${place}/window`;

/**
 * The window on the target: `open SECONDS OWNER`, `work ARGV…`, `close`, and `end`, which the timer calls. It lies
 * there as a file, as it is needed when nobody is connected any more. `root` stands for the machine's own in tests.
 */
export function maintenanceScript(root = "/", at = place): string {
  return `#!/bin/sh
root=${root} place=${at}
ending=provision-maintenance-end work=provision-maintenance-work

# Armed before root is writable: whatever becomes of us, it is closed again.
open() {
  disarm
  arm "--on-active=$1s" --timer-property=AccuracySec=1s || return
  printf '%s\\n' "$2" "$(($(date +%s) + $1))" >"$place/window"
  mount -o remount,rw "$root" && return
  rm -f "$place/window"
  disarm
  return 1
}

# Restarted until it has worked: root may be busy for a while.
arm() {
  systemd-run --quiet --collect --unit="$ending" --description="End of the maintenance window" \\
    --property=Restart=on-failure --property=RestartSec=30 "$@" /bin/sh "$place/script" end
}

disarm() {
  systemctl stop "$ending.timer" "$ending.service"
  systemctl reset-failed "$ending.timer" "$ending.service"
} >/dev/null 2>&1

# As a unit: it outlives the connection, and all that it starts ends with the window.
work() {
  systemd-run --quiet --wait --collect --pipe --service-type=exec --unit="$work" \\
    --description="Work in the maintenance window" \\
    --setenv=DEBIAN_FRONTEND=noninteractive --setenv=LC_ALL=C.UTF-8 --setenv=HOME=/root --working-directory=/ -- "$@"
  code=$?
  # At once, even when nobody listens any more.
  close >/dev/null 2>&1
  return $code
}

close() {
  if end; then
    disarm
    return
  fi
  # The timer may be far off: from now on it is tried again and again.
  systemctl start --no-block "$ending.service" 2>/dev/null || arm
  return 1
}

end() {
  systemctl stop "$work.service" >/dev/null 2>&1
  tries=0
  until said=$(mount -o remount,ro "$root" 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 3 ]; then
      printf '%s\\n' "$said"
      holders
      return 1
    fi
    sleep 1
  done
  rm -f "$place/window"
}
${holdersScript}
"$@"
`;
}
