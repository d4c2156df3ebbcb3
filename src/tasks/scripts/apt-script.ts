import { waitForLocks } from "./wait-for-locks.ts";

/**
 * One transaction of apt-get: `provision-apt LOCK-SECONDS LISTS-MINUTES VERB [ARGUMENT…]`, where VERB is
 * install, remove, purge or repair. The last lines it prints on failure are apt's own reason.
 *
 * What goes wrong before dpkg begins (a name nobody knows, a version that is gone from the mirror) may come from old lists
 * and is worth another try with fresh ones; what fails later is not. apt itself downloads all before it calls dpkg, and
 * runs DPkg::Pre-Invoke then (apt.conf(5)): so one pass does, without a download beforehand.
 * `root` stands for the machine's own in tests.
 */
export function aptScript(root = ""): string {
  return `
set -u
lock_seconds=$1 lists_minutes=$2 verb=$3
shift 3
stamp=${root}/var/lib/provision/stamps/apt-update
begun=${root}/run/provision-apt-begun.$$
trap 'rm -f "$begun"' EXIT
is_refreshed=
${waitForLocks(root)}
# Pattern-Only: apt would take the dot of an unknown name for a regular expression, and install what it matches.
get() {
  wait_for_locks "$lock_seconds"
  apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout="$lock_seconds" -o Acquire::Retries=3 \\
    -o APT::Cmd::Pattern-Only=true -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

is_stale() {
  ls ${root}/var/lib/apt/lists/*Release >/dev/null 2>&1 || return 0
  [ -z "$(find "$stamp" -mmin "-$lists_minutes" 2>/dev/null)" ]
}

# Without Error-Mode=any apt calls it a success when no mirror answers.
refresh() {
  mkdir -p "\${stamp%/*}"
  : > "$stamp.new"
  get -o APT::Update::Error-Mode=any update || exit
  mv "$stamp.new" "$stamp"
  is_refreshed=yes
}

with_fresh_lists() {
  "$@" && return
  code=$?
  [ -z "$is_refreshed" ] && [ ! -e "$begun" ] || exit "$code"
  echo 'The lists of packages may be out of date: reading them anew'
  refresh
  "$@" || exit
}

repair() {
  wait_for_locks "$lock_seconds"
  dpkg --force-confdef --force-confold --configure -a ||
    echo 'Not everything could be configured: apt looks for what is missing'
  with_fresh_lists get --fix-broken install
}

case $verb in
repair) repair ;;
install)
  if is_stale; then refresh; fi
  with_fresh_lists get -o "DPkg::Pre-Invoke::=:>$begun" install "$@"
  ;;
*) get "$verb" "$@" ;;
esac
`;
}

/** Prints packages that dpkg left in the middle of something, and journals of a dpkg that was cut off. */
export const BROKEN = `
all=$(dpkg-query -W -f '\${db:Status-Abbrev} \${binary:Package}\\n') || exit
printf '%s\\n' "$all" | grep -v '^.[icn] '
for journal in /var/lib/dpkg/updates/[0-9]*; do
  if [ -e "$journal" ]; then echo "interrupted: $journal"; fi
done
exit 0
`;

/** What keeps apt and the packages' own scripts from asking. */
export const aptEnvironment: Readonly<Record<string, string>> = {
  DEBIAN_FRONTEND: "noninteractive",
  DEBIAN_PRIORITY: "critical",
  APT_LISTCHANGES_FRONTEND: "none",
  NEEDRESTART_MODE: "l",
  UCF_FORCE_CONFFOLD: "1",
};
