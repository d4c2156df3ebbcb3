/** Shell functions that the sections of facts are made of. */
export const sectionScript = `
# Runs a program that looks, bounded; keeps the worst exit code in rc.
t() {
  up
  begun=$now
  timeout -k 2 "$limit" "$@" </dev/null
  code=$?
  [ "$code" = 0 ] || { up; [ $((now - begun)) -lt "$limit_cs" ] || late=1; }
  [ "$code" -le "$rc" ] || rc=$code
}

# Runs a program of a query: its output bounded in time and in bytes. Writes code and lateness to $d/rc.
inquire() {
  up
  begun=$now late=0
  rm -f "$d/code"
  timeout -k 2 "$limit" /bin/sh -c '
    { { { env -- "$@" 3>&- 4>&-; echo "$?" >"$0/code"; } 2>&3 | head -c 1048577 >&4; } 3>&1 |
      head -c 262144 >&2; } 4>&1' "$d" "$@"
  code=$?
  [ "$code" = 0 ] || { up; [ $((now - begun)) -lt "$limit_cs" ] || late=1; }
  [ "$code" != 0 ] || { read -r code <"$d/code"; } 2>/dev/null || code=125
  echo "$code $late" >"$d/rc"
}

# Ends a section: what it said on standard error, then how it ended.
said() {
  printf '\\036%s errors %s\\n' "$tok" "$1"
  [ ! -s "$d/err" ] || head -c 262144 "$d/err"
  printf '\\036%s section %s %s %s\\n' "$tok" "$1" "$rc" "$late"
}
`;
