/**
 * Shell functions for programs that outlive the connection. One is a directory, root/jobs/<name>/: id, nonce
 * (the run and the digest of what was asked), run (its script), in, log, started, alive, pid, rc.
 */
export const jobScript = `
# The runner holds flock(1) on "alive": that ends with it, even where nobody reaps the dead.
job_alive() { [ -e "$1/pid" ] && ! flock -n -s "$1/alive" true; }

# Its output from the start, until it ends; or until nobody listens any more, as the lock of the run is held
# until this returns. Tail is told to follow a child of ours that waits for the end of the job.
attend() {
  tries=0
  while [ ! -e "$1/pid" ] && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
  if [ -e "$1/rc" ]; then cat "$1/log"; return; fi
  flock -s "$1/alive" true &
  beacon=$!
  echo "$beacon" >"$d/beacon"
  [ -e "$lease" ] || kill "$beacon"
  if tail --version >/dev/null 2>&1; then
    tail -n +1 -s 0.1 --pid="$beacon" -f "$1/log" &
  else
    follow "$1" &
  fi
  follower=$!
  wait "$beacon"
  rm -f "$d/beacon"
  [ -e "$lease" ] || { kill "$follower"; printf '\\036%s lapsed\\n' "$tok"; exit 98; }
  wait "$follower"
}

# For busybox, whose tail follows no process. Whether it lives is asked before the size is: no end is missed.
follow() {
  seen=0
  while :; do
    job_alive "$1"
    gone=$?
    size=$(wc -c <"$1/log")
    [ "$size" -eq "$seen" ] || tail -c "+$((seen + 1))" "$1/log" | head -c $((size - seen))
    seen=$size
    [ "$gone" = 0 ] || break
    sleep 0.2 2>/dev/null || sleep 1
  done
}

job_result() {
  { read -r rc late <"$1/rc"; } 2>/dev/null || { rc=137 late=0; echo "ended without a result: killed, or the machine ran out of memory"; }
}

# The job made ready in $d/job: started, or attached where it runs, or its result where it has ended; never
# twice. Name, digest.
job() {
  command -v flock >/dev/null || { rc=127; echo "flock is missing"; return; }
  j=$root/jobs/$1
  if [ -d "$j" ]; then
    { read -r job_run; read -r job_digest; } <"$j/nonce"
    if [ ! -e "$j/rc" ] && job_alive "$j"; then
      attend "$j"
      # Whoever started it: it did what is asked for, while we waited.
      if [ "$job_digest" = "$2" ]; then job_result "$j"; return; fi
      rm -rf "$j"
    elif [ "$job_run" != "$run" ] || [ "$job_digest" != "$2" ]; then
      rm -rf "$j"
    elif [ -e "$j/started" ]; then
      attend "$j"
      job_result "$j"
      return
    fi
  fi
  if [ ! -d "$j" ]; then
    mkdir -p "$root/jobs" && mv -T "$d/job" "$j" || { rc=1; return; }
  fi
  # Its own session: no hang-up of the connection reaches it. The runner itself sees to it that it runs once.
  setsid -f /bin/sh "$j/run" "$j" </dev/null >/dev/null 2>&1 ||
    # Busybox's setsid does not fork.
    ( setsid /bin/sh "$j/run" "$j" </dev/null >/dev/null 2>&1 & )
  attend "$j"
  job_result "$j"
}

# What of this run still runs, one after the other.
attend_all() {
  for j in "$root"/jobs/*; do
    [ -e "$j/started" ] && [ ! -e "$j/rc" ] || continue
    { read -r job_run; } <"$j/nonce"
    [ "$job_run" = "$run" ] || continue
    read -r job_id <"$j/id"
    printf '\\036%s attached %s\\n' "$tok" "$job_id"
    attend "$j"
    printf '\\036%s detached\\n' "$tok"
  done
}

# At the clean end of a run: results nobody will ask for.
forget_jobs() {
  for j in "$root"/jobs/*; do
    [ -e "$j/rc" ] || continue
    { read -r job_run; } <"$j/nonce"
    [ -z "$owner" ] && [ "$job_run" != "$run" ] || rm -rf "$j"
  done
}
`;
