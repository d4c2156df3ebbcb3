import { asUserScript, quoted } from "../scripts/as-user.ts";
import { lookScript as lookAtTools } from "../scripts/tool-store/look-script.ts";
import { stampDirectory, unitDirectory, units } from "./units.ts";

/** As the user: `unit NAME FILE ENABLED ACTIVE STAMP`, a line for each; a dash stands for what is not there. */
const lookAtUnits = `
set -u
manager=$1
shift
{
  if [ "$manager" = yes ]; then systemctl --user is-active "$@"; else for unit; do echo -; done; fi
} | while read -r active; do
  unit=$1 file=- enabled=- stamp=-
  shift
  [ ! -e "$HOME/${unitDirectory}/$unit" ] || file=file
  [ ! -L "$HOME/${unitDirectory}/default.target.wants/$unit" ] || enabled=enabled
  [ ! -s "$HOME/${stampDirectory}/$unit" ] || read -r stamp <"$HOME/${stampDirectory}/$unit"
  echo "unit $unit $file $enabled $active $stamp"
done
exit 0
`;

/**
 * Says how a user's containerd stands: `provision-rootless-look USER WAITING-ROOM`, with what `lookAtTools` reads on
 * standard input. It only looks, and prints nothing where there is no such user; see `readLook`.
 */
export const lookScript = `
set -u
entry=$(getent passwd "$1") || exit 0
IFS=: read -r name _ uid _ _ home _ <<END
$entry
END
${asUserScript}
echo "user $uid $home"
[ ! -e "/var/lib/systemd/linger/$name" ] || echo linger
[ ! -e "$2" ] || echo sent
for program in newuidmap newgidmap; do command -v "$program" >/dev/null || echo "lacks $program"; done
[ -e /usr/lib/systemd/user/dbus.socket ] || echo "lacks dbus.socket"
for file in subuid subgid; do
  [ -e /etc/$file ] && name=$name uid=$uid awk -F: '
    $1 == ENVIRON["name"] || $1 == ENVIRON["uid"] { found = 1 }
    END { exit !found }' /etc/$file || echo "lacks $file"
done
if [ ! -d "$home" ]; then
  echo "lacks home"
  exit 0
fi
manager=no
# Its socket outlives it for a moment.
if systemctl is-active --quiet "user@$uid.service"; then manager=yes; echo manager; fi
as_user sh -c ${quoted(lookAtUnits)} "$0" $manager ${units.join(" ")} </dev/null || exit
echo tools
as_user sh -c ${quoted(lookAtTools)} provision-tools-look "$home/.local"
`;
