import { type Command, run, type RunAction } from "../../provisioner/core/task.ts";

/** Looks at an interface, without its secrets. */
export function lookCommand(name: string): Command {
  return { argv: ["sh", "-c", LOOK, "provision-wireguard-look", name] };
}

/** Gives the interface a key of its own; one that an older configuration holds is kept. */
export function makeKey(name: string): RunAction {
  return run("sh", "-c", MAKE_KEY, "provision-wireguard-key", name);
}

/** Starts or restarts the interface, or loads its configuration without disturbing those who are connected. */
export function bringUp(verb: "start" | "restart" | "sync", name: string): RunAction {
  return outlasting(run("sh", "-c", BRING_UP, "provision-wireguard", verb, name));
}

/** What may cut the line it came over must not end with it; and it must end before its guard takes it back. */
export function outlasting(action: RunAction): RunAction {
  return { ...action, detached: true, timeoutMs: 90_000 };
}

/** What runs, which public key belongs to the key in the file, and which files of shared keys there are. */
const LOOK = `
name=$1
for file in /etc/wireguard/"$name".psk-*; do [ ! -e "$file" ] || echo "shared $file"; done
command -v wg >/dev/null || exit 0
[ ! -s "/etc/wireguard/$name.key" ] || echo "key $(wg pubkey <"/etc/wireguard/$name.key")"
running=$(wg show "$name" public-key 2>/dev/null) || exit 0
echo "running $running"
wg show "$name" peers | sed 's/^/peer /'
`;

/** Keys pass from program to program; the shell's own printf is none. */
const MAKE_KEY = `
set -eu
umask 077
name=$1
cd /etc/wireguard
command -v wg >/dev/null || {
  echo "wg must be installed: put the use \\\`apt: {name: wireguard, present: [wireguard-tools]}\\\` before this one" >&2
  exit 127
}
trap 'rm -f "$name.key.new"' EXIT
[ ! -e "$name.conf" ] || sed -n 's/^[[:space:]]*PrivateKey[[:space:]]*=[[:space:]]*//p' "$name.conf" | head -n 1 >"$name.key.new"
[ -s "$name.key.new" ] || wg genkey >"$name.key.new"
public=$(wg pubkey <"$name.key.new")
sync "$name.key.new"
mv "$name.key.new" "$name.key"
echo "public key of $name: $public"
`;

const BRING_UP = `
verb=$1 name=$2 dir=/etc/wireguard
command -v wg-quick >/dev/null || {
  echo "wg-quick must be installed: put the use \\\`apt: {name: wireguard, present: [wireguard-tools]}\\\` before this one" >&2
  exit 127
}

# The configuration as wg takes it, with the keys that lie in files of their own.
whole() {
  printf '%s\\n' "$1" | while IFS= read -r line; do
    printf '%s\\n' "$line"
    case $line in
      '[Interface]') printf 'PrivateKey = %s\\n' "$(cat "$dir/$name.key")" ;;
      'PublicKey = '*)
        file=$dir/$name.psk-$(printf %s "\${line#PublicKey = }" | tr '/+' '_-' | tr -d =)
        [ ! -e "$file" ] || printf 'PresharedKey = %s\\n' "$(cat "$file")"
        ;;
    esac
  done
}

family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

# As wg-quick does when it starts: a route to what no other route to the interface reaches already.
routes() {
  wanted=$(wg show "$name" allowed-ips | cut -f 2 | tr ' ' '\\n' | grep /)
  for ip in -4 -6; do
    ip "$ip" route show dev "$name" proto boot | while read -r net rest; do
      case $net in */*) full=$net ;; *:*) full=$net/128 ;; *) full=$net/32 ;; esac
      printf '%s\\n' "$wanted" | grep -qxF "$full" || ip "$ip" route del "$net" dev "$name" proto boot
    done
  done
  for net in $wanted; do
    ip=$(family "$net")
    [ -n "$(ip "$ip" route show dev "$name" match "$net" 2>/dev/null)" ] || ip "$ip" route add "$net" dev "$name" || return
  done
}

if [ "$verb" = sync ]; then
  # Apart: nothing must be loaded where half of it could not be read.
  stripped=$(wg-quick strip "$name") || exit
  whole "$stripped" | wg syncconf "$name" /dev/stdin && routes
  exit
fi
systemctl "$verb" "wg-quick@$name.service" || {
  code=$?
  systemctl --no-pager --full --lines=20 status "wg-quick@$name.service" >&2
  exit "$code"
}
`;
