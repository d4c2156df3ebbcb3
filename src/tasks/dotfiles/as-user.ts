/**
 * A script that root starts and a user runs: `NAME USER ARGUMENT…`, the user's part gets the arguments. Nothing of
 * root's reaches it: no variable, no group, no capability. Whatever links and settings somebody has planted in the
 * home, they can do no more than their owner could. Where there is no such user it prints `no user`.
 */
export function asUser(script: string): string {
  return `
set -u
user=$1
shift
# Code 127 would say that there is no machine yet.
command -v setpriv >/dev/null || { echo "setpriv of util-linux must be installed, is not" >&2; exit 1; }
entry=$(getent passwd -- "$user") || { echo "no user"; exit 0; }
IFS=: read -r _ _ _ group _ home _ <<ENTRY
$entry
ENTRY
cd / || exit 1
exec setpriv --reuid="$user" --regid="$group" --init-groups --inh-caps=-all \\
  env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/sh LC_ALL=C.UTF-8 \\
  PATH=/usr/local/bin:/usr/bin:/bin \\
  sh -c ${quoted(common + script)} provision-as-user "$@"
`;
}

/** What the parts of all scripts have in common. `$1` is where the checkout is, `~/` for the home. */
const common = `
set -u
umask 022
path=$1
shift
case $path in "~/"*) path=$HOME/\${path#"~/"} ;; esac

fail() { printf '%s\\n' "$@" >&2; exit 1; }

is_there() { [ -e "$1" ] || [ -L "$1" ]; }

# One of this task's own: it leads into the checkout.
is_ours() {
  [ -L "$1" ] || return 1
  case $(readlink "$1") in "$path"/*) return 0 ;; esac
  return 1
}

# "kept" is the newest backup of a path below the home, "free" the name that the next one gets.
find_backups() {
  kept= free=$1.before-provision number=0
  while is_there "$HOME/$free"; do
    kept=$free number=$((number + 1)) free=$1.before-provision.$number
  done
}
`;

/** One word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
