/**
 * The run lock. The content is written beside and linked into place: there is no moment at which the lock is
 * there and empty. A stale one is replaced by a rename under flock(1), so that of two who find it stale one
 * wins; without flock a stale lock stays.
 *
 * Stale: the worker that holds it is gone, and its lease ran out or its run is the one that asks; or it is
 * of another boot. What cannot be read counts as held.
 *
 * The owner alone does not tell two runs apart: root's process 7 in two containers of one name.
 */
export const lockScript = `
read_lock() {
  h_owner= h_pid= h_boot= h_token= h_dir= h_run=
  { IFS= read -r h_owner && read -r h_pid && read -r h_boot && read -r h_token && IFS= read -r h_dir \\
    && IFS= read -r h_run; } 2>/dev/null <"$root/lock" || return 1
  case $h_pid in ''|*[!0-9]*) return 1 ;; esac
  case $h_token in ''|*[!0-9a-f]*) return 1 ;; esac
}

ours() { [ "$h_owner" = "$owner" ] && [ "$h_run" = "$run" ]; }

stale() {
  read_lock 2>/dev/null || return 1
  [ "$h_boot" = "$boot" ] || return 0
  if runs "$h_pid" "$h_token"; then
    ! ours || evict
    return 1
  fi
  ours || ! valid "$root/lease.$h_token"
}

# Our own worker of a lost connection: it ends the order it is at, starts no other, and goes.
evict() {
  { read -r h_watcher <"$h_dir/watcher" && kill "$h_watcher"; } 2>/dev/null
  hang_up "$root/lease.$h_token" "$h_dir"
  # It may need the time of its order, however little the caller wants to wait for others.
  [ -n "$evicted" ] || { evicted=1; up; [ "$end" -ge $((now + 15000)) ] || end=$((now + 15000)); }
}

usurp() {
  stale || return 1
  ( flock 9 && stale && mv -fT "$d/lock" "$root/lock" ) 9>"$root/lock.mutex" || return 1
  rm -f "$root/lease.$h_token"
}

locked() {
  read_lock 2>/dev/null || h_owner='somebody: its content cannot be read'
  [ -e "$root/lock" ] || refuse "cannot make $root/lock"
  printf '\\036%s locked %s\\n' "$token" "$h_owner"
  exit 1
}

lock() {
  evicted=
  printf '%s\\n' "$owner" "$$" "$boot" "$token" "$d" "$run" >"$d/lock"
  up
  end=$((now + wait_cs))
  until ln "$d/lock" "$root/lock" 2>/dev/null || usurp; do
    up
    [ "$now" -lt "$end" ] || locked
    renew
    sleep 0.2 2>/dev/null || sleep 1
  done
}

unlock() { ! read_lock 2>/dev/null || [ "$h_token" != "$token" ] || rm -f "$root/lock"; }
`;
