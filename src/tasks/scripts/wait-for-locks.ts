/**
 * Shell functions that wait for the locks of apt and dpkg, all four of them: apt's own time-out knows but two.
 * `wait_for_locks SECONDS` says who holds one, never ends a process, and fails when the time is over. Needs no
 * fuser: the kernel lists who holds a lock, and a process's open files tell whether it is this lock. Below
 * `root` instead of the machine's own, for tests.
 */
export function waitForLocks(root = ""): string {
  const locks = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
  ];
  return `
lock_holder() {
  for lock in ${locks.map((path) => root + path).join(" ")}; do
    inode=$(stat -L -c %i "$lock" 2>/dev/null) || continue
    while read -r _ kind _ _ pid place _; do
      [ "$kind" = POSIX ] && [ "\${place##*:}" = "$inode" ] || continue
      for fd in /proc/"$pid"/fd/*; do
        [ "$fd" -ef "$lock" ] || continue
        read -r name 2>/dev/null < "/proc/$pid/comm" || name='a process that is ending'
        echo "$lock is held by $name (pid $pid)"
        return 0
      done
    done < /proc/locks
  done
  return 1
}

wait_for_locks() {
  waited=0
  said=
  while held=$(lock_holder); do
    if [ "$waited" -ge "$1" ]; then
      echo "Cannot work on packages: the locks must be free within $1 s, $held; wait for it to end, or stop it" >&2
      exit 75
    fi
    if [ "$held" != "$said" ]; then
      echo "Waiting: $held"
      said=$held
    fi
    sleep 1
    waited=$((waited + 1))
  done
}
`;
}
