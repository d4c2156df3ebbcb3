/** Shell functions that the orders of a frame are made of. */
export const orderScript = `
# Nothing starts after an order that failed, nor when the controller may be dead.
begin() {
  [ "$stopped" = 0 ] || return 1
  valid "$lease" || { stopped=1; printf '\\036%s lapsed %s\\n' "$tok" "$1"; return 1; }
  order=$1 rc=0 late=0 word=failed
}

land() {
  printf '\\036%s landed %s %s %s\\n' "$tok" "$order" "$word" "$rc" || exit 99
  [ "$word" = done ] || stopped=1
}

# By its exit code: 75 says that somebody else changed the path.
land_file() {
  rc=$?
  case $rc in 0) word=done ;; 75) word=changed ;; esac
  land
}

# Compare and set: "any", "absent", or the digest of what a plan was made on.
unchanged() {
  case $2 in
    any) ;;
    absent) [ ! -e "$1" ] ;;
    *) [ -f "$1" ] && found=$(sha256sum <"$1") && [ "\${found%% *}" = "$2" ] ;;
  esac
}

parent_of() { parent=\${1%/*}; parent=\${parent:-/}; }

# Standard input to a file: path, digest, expected, owner:group, mode.
put() (
  parent_of "$1"
  temp=$(mktemp "$parent/.provision.XXXXXXXXXX") || exit 1
  trap 'rm -f "$temp"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  cat >"$temp" || exit 1
  found=$(sha256sum <"$temp") && [ "\${found%% *}" = "$2" ] || { echo "$1: arrived damaged: must have SHA-256 $2, has \${found%% *}"; exit 1; }
  chown -- "$4" "$temp" && chmod -- "$5" "$temp" && sync -- "$temp" || exit 1
  unchanged "$1" "$3" || exit 75
  mv -fT -- "$temp" "$1" || exit 1
  trap - EXIT
  sync -- "$parent"
) 2>&1

# Path, target, expected.
put_link() (
  parent_of "$1"
  unchanged "$1" "$3" || exit 75
  temp=$(mktemp -u "$parent/.provision.XXXXXXXXXX") && ln -sT -- "$2" "$temp" || exit 1
  mv -fT -- "$temp" "$1" && sync -- "$parent" && exit
  rm -f "$temp"
  exit 1
) 2>&1

# Path; owner:group and mode when it is new; what to set when it is there.
put_directory() (
  # With /. a link to a directory stands for the directory.
  if [ -d "$1" ]; then set_attributes "$1/." "$4" "$5"; exit; fi
  parent_of "$1"
  mkdir -p -- "$parent" && ( umask 077; mkdir -- "$1" ) && set_attributes "$1" "$2" "$3"
) 2>&1

# Path, then owner:group and mode; empty stays as it is. A link has no mode of its own.
set_attributes() {
  [ -z "$2" ] || chown -h -- "$2" "$1" || return
  [ -n "$3" ] || return 0
  [ ! -L "$1" ] || { echo "$1: is a symbolic link and has no mode"; return 1; }
  chmod -- "$3" "$1"
}

# Path, expected. A mount below stops it before anything is gone.
remove() (
  unchanged "$1" "$2" || exit 75
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    real=$(cd -P -- "$1" && pwd -P && echo .) || exit 1
    real=\${real%??} below=$(mounts_in) || { echo "cannot read the mounts"; exit 1; }
    [ -z "$below" ] || { echo "$1: holds a mount point: $below"; exit 1; }
  fi
  rm -rf --one-file-system -- "$1"
) 2>&1

# mountinfo writes space, tab, newline and backslash in octal.
mounts_in() {
  real=$real awk '
    { m = $5; gsub(/\\\\040/, " ", m); gsub(/\\\\011/, "\\t", m); gsub(/\\\\012/, "\\n", m); gsub(/\\\\134/, "\\\\", m) }
    m == ENVIRON["real"] || index(m, ENVIRON["real"] "/") == 1 { print m; exit }' /proc/self/mountinfo
}

# A program, bounded, with its output on the channel until it ends: a child it leaves behind holds nobody up,
# and cannot write into what comes after. Seconds, hundredths, argv.
perform() {
  perform_limit=$1 limit_cs=$2
  shift 2
  cat <"$d/out" &
  relay=$!
  up
  begun=$now late=0
  timeout -k 10 "$perform_limit" "$@" >"$d/out" 2>&1
  rc=$?
  [ "$rc" = 0 ] || { up; [ $((now - begun)) -lt "$limit_cs" ] || late=1; }
  ( sleep 1; kill "$relay" ) >/dev/null 2>&1 &
  guard=$!
  wait "$relay"
  kill "$guard" 2>/dev/null
  echo "$rc $late" >"$d/rc"
}

# — detached jobs: root/jobs/<name>/ with id, nonce (run and digest), run, in, log, started, pid, rc —

job_alive() { { read -r job_pid <"$1/pid"; } 2>/dev/null && runs "$job_pid" "$1"; }

# Its output from the start, until it ends.
attend() {
  tries=0
  while [ ! -e "$1/pid" ] && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
  if [ ! -e "$1/rc" ] && job_alive "$1"; then
    tail -n +1 -s 0.1 --pid="$job_pid" -f "$1/log" 2>/dev/null || follow "$1"
  else
    cat "$1/log"
  fi
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
