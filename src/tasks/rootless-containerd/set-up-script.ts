import { asUserScript, quoted } from "../scripts/as-user.ts";
import { stampDirectory, unitDirectory } from "./units.ts";

/** As the user: `provision-rootless VERB …`, the last three of the verbs below. */
const workScript = `
set -u
verb=$1
shift
tool=$HOME/.local/bin/containerd-rootless-setuptool.sh units=$HOME/${unitDirectory} stamps=$HOME/${stampDirectory}

# What runs goes on with the files that it has open: it is started anew when they are of another version.
set_up() {
  stamp=$(cat "$stamps/$unit" 2>/dev/null)
  before=$(systemctl --user is-active "$unit")
  mkdir -p -- "$stamps" || exit 1
  if [ "$stamp" != "$id" ]; then
    echo begun >"$stamps/$unit" || exit 1
    # The tool leaves a file alone that is there, and each version of it writes its own.
    rm -f -- "$units/$unit" || exit 1
  fi
  # What failed too often must wait, unless told otherwise.
  systemctl --user reset-failed "$unit" 2>/dev/null
  "$tool" "$install" || exit 1
  if [ "$stamp" != "$id" ] && [ "$before" = active ]; then
    systemctl --user restart "$unit" || exit 1
    sleep 3
    now=$(systemctl --user is-active "$unit")
    [ "$now" = active ] || { echo "$unit must stay active, is $now after 3 seconds" >&2; exit 1; }
  fi
  echo "$id" >"$stamps/$unit"
}

uninstall() {
  if [ -x "$tool" ]; then
    "$tool" uninstall || exit 1
  else
    for unit; do
      systemctl --user disable --now "$unit"
      rm -f -- "$units/$unit" || exit 1
    done
  fi
  systemctl --user daemon-reload
  rm -rf -- "$stamps" || exit 1
  [ ! -d "$HOME/.local/share/containerd" ] || echo "$HOME/.local/share/containerd stays, with images and containers"
}

case $verb in
  set-up) id=$1 unit=$2 install=$3; set_up ;;
  drop) "$tool" "$2" && systemctl --user daemon-reload && rm -f -- "$stamps/$1" ;;
  uninstall) uninstall "$@" ;;
esac
`;

/**
 * Sets up what a user runs: `provision-rootless VERB USER UID HOME …`, where VERB is
 *
 * - `linger`: the user's systemd starts at boot, and now;
 * - `set-up ID UNIT INSTALL`: by the command INSTALL of the tree's own tool, with the version ID of the tree;
 * - `drop UNIT UNINSTALL`: takes one unit away;
 * - `uninstall UNIT…`: takes all of them away. Images and containers stay.
 */
export const setUpScript = `
set -u
verb=$1 name=$2 uid=$3 home=$4 opened=
shift 4
manager=user@$uid.service
${asUserScript}
# A user has a systemd of their own while they are logged in, or linger; else it is lent to them.
open() {
  systemctl start "$manager" || { systemctl --no-pager --full --lines=20 status "$manager" >&2; exit 1; }
  # Whatever starts with it is up then, or has failed.
  as_user systemctl --user is-system-running --wait </dev/null >/dev/null
}

if [ "$verb" = linger ]; then
  loginctl enable-linger "$name" || exit 1
  open
  exit 0
fi
[ -e "/var/lib/systemd/linger/$name" ] || systemctl is-active --quiet "$manager" || opened=yes
open
as_user sh -c ${quoted(workScript)} "$0" "$verb" "$@" </dev/null
code=$?
if [ "$code" != 0 ]; then
  echo "The journal of $name ends:" >&2
  journalctl --quiet --no-pager --lines=20 --output=cat "_UID=$uid" >&2
fi
[ -z "$opened" ] || systemctl stop "$manager"
exit "$code"
`;
