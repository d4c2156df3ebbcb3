/**
 * The worker: makes its place, takes the lock, says that it is ready, then runs frames until its input ends.
 * Runs in dash, bash and busybox ash.
 *
 * Two processes. The watcher reads the channel: it hears the controller's renewals, and its death, while an
 * order runs. The main one runs the frames in the foreground, as a shell makes the children of what it runs
 * in the background deaf to SIGINT for good.
 *
 * On the channel: `<bytes> <token>` and the frame; or `lease -`; or `bye -`.
 */
export const workerScript = `
LC_ALL=C LANG=C LANGUAGE= HOME=~root
export PATH LC_ALL LANG LANGUAGE HOME
unset IFS ENV BASH_ENV CDPATH TMPDIR POSIXLY_CORRECT GREP_OPTIONS
cd /

# The time since boot in hundredths of a second: no clock that anybody sets.
up() { read -r now now_rest </proc/uptime; now=\${now%.*}\${now#*.}; }

# Whether a process is the one it was when its id was written down. Busybox's grep stops at a NUL.
runs() { tr '\\0' '\\n' <"/proc/$1/cmdline" | grep -qF -- "$2"; } 2>/dev/null

refuse() { printf '\\036%s refused %s\\n' "$token" "$*"; exit 1; }

valid() { { read -r lease_end <"$1"; } 2>/dev/null && up && [ "$lease_end" -ge "$now" ] 2>/dev/null; }

# Renamed into place: a reader never sees half a number.
renew() {
  up
  if { read -r lease_end <"$lease"; } 2>/dev/null && [ "$lease_end" -ge $((now + lease_cs * 3 / 4)) ]; then return; fi
  echo $((now + lease_cs)) >"$lease.new" && mv -f "$lease.new" "$lease"
}

leave() {
  trap - EXIT
  trap '' HUP INT TERM PIPE
  [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
  [ ! -e "$d/bye" ] || forget_jobs
  [ -z "$owner" ] || unlock
  [ ! -e "$d/roomy" ] || while read -r roomy; do rm -rf "$roomy"; done <"$d/roomy"
  rm -rf "$d" "$drop" "$lease" "$lease.new"
}

watch() {
  trap - EXIT HUP INT TERM PIPE
  while IFS=' ' read -r length tok; do
    # Taken away: this worker was told to end.
    [ -e "$lease" ] || break
    renew
    case $length in
      lease) ;;
      bye) : >"$d/bye"; break ;;
      *)
        # Busybox's head may take more than it prints: nothing is sent behind a frame before it is answered.
        head -c "$length" >"$d/frame" || break
        printf '%s\\n' "$tok"
        ;;
    esac
  done
  hang_up "$lease" "$d"
}

# No word can come any more: what has not started must not, and what only listens has no more to do.
hang_up() {
  rm -f "$1"
  { read -r hung <"$2/beacon" && kill "$hung"; } 2>/dev/null
}

umask 077
d=$root/worker.$$.$token drop=$root/drop.$token lease=$root/lease.$token watcher=
read -r boot <"$boot_id_file" || [ -n "$boot" ] || refuse "cannot read $boot_id_file"
[ -d "$root" ] || mkdir -p -m 711 "$root" || refuse "cannot make $root"
[ -O "$root" ] && [ ! -L "$root" ] || refuse "$root must be a directory of its own user"
for old in "$root"/worker.*; do
  old_pid=\${old#"$root"/worker.}; old_pid=\${old_pid%%.*}
  [ ! -d "$old" ] || kill -0 "$old_pid" 2>/dev/null || rm -rf "$old" "$root/drop.\${old##*.}"
done
trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE
mkdir "$d" "$drop" && mkfifo "$d/frames" "$d/out" || refuse "cannot write below $root"
# Whoever logged in puts files there, and cannot read what root keeps beside them.
[ -z "$SUDO_UID" ] || chown "$SUDO_UID:$SUDO_GID" "$drop" || refuse "cannot chown $drop"
umask 022
: >"$lease"; renew
[ -z "$owner" ] || lock

exec 3<&0 </dev/null
watch <&3 3<&- >"$d/frames" 2>/dev/null &
watcher=$!
echo "$watcher" >"$d/watcher"
exec 3<&-
uid=$(id -u) || refuse "id is missing"
printf '\\036%s ready %s %s %s\\n' "$token" "$boot" "$$" "$uid"
while IFS= read -r tok; do
  ( . "$d/frame" ) </dev/null
  printf '\\036%s end %s\\n' "$tok" "$?"
done <"$d/frames"
`;
