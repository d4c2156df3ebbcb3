import { prefixScript } from "./prefix-script.ts";

/**
 * Says how tools stand: `provision-tools-look PREFIX`, with lines `tool NAME`, each followed by `place PATH` for what
 * it will want in the prefix. Prints a word and what belongs to it, a line each; see `readLook`. It only looks, and
 * starts hardly a process where all is as it should be.
 */
export const lookScript = `
set -u
prefix=$1 own=$1/share/provision store=$1/share/provision/store tool=
shift
IFS=
${prefixScript}
see_place() {
  look_at "$1"
  case $found in
    foreign) echo "foreign $at" ;;
    taken) echo "taken $owner $at" ;;
  esac
}

see_link() {
  is_right "$1" && return
  look_at "$1"
  case $found in
    foreign) echo "foreign $at" ;;
    taken) echo "taken $owner $at" ;;
    *) echo "broken $1" ;;
  esac
}

echo "machine $(uname -m)"
left=
# A removal that was killed may have left the list alone; with files of others it stays on purpose.
if [ -d "$store" ] || { [ -e "$own/directories" ] && [ ! -e "$own/replaced" ]; }; then left=yes; fi
for path in "$store"/*/; do [ ! -d "$path" ] || left=; done
for path in "$store"/.incoming*; do
  if [ -e "$path" ] || [ -L "$path" ]; then left=yes; fi
done
[ -z "$left" ] || echo leftovers

while read -r line; do
  case $line in
    place\\ *) see_place "\${line#place }"; continue ;;
  esac
  tool=\${line#tool } current=
  echo "tool $tool"
  home=$store/$tool
  [ -d "$home" ] || continue
  echo there
  [ ! -e "$home/.switching" ] || echo unfinished
  for path in "$home"/*/; do
    id=\${path%/} id=\${id##*/}
    case $id in current | previous) continue ;; esac
    [ -e "$path.provision" ] || continue
    echo "has $id"
    [ ! "$home/current" -ef "$path" ] || current=$id
  done
  [ -n "$current" ] || continue
  echo "current $current"
  while read -r link; do see_link "$link"; done <"$home/current/.provision"
  # A version that \`provision install\` put there has no such list.
  [ -e "$home/current/.commands" ] || continue
  while read -r sized; do
    path=$home/current/\${sized#* }
    if [ -x "$path" ]; then
      echo "wanted \${sized%% *} $path"
      set -- "$@" "$path"
    else
      echo "damaged \${sized#* }"
    fi
  done <"$home/current/.commands"
done
[ $# = 0 ] || stat -L -c 'size %s %n' -- "$@"
exit 0
`;
