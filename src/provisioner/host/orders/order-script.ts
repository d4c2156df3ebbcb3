/** Shell functions around each order of a frame, and those that run a program. */
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
`;
