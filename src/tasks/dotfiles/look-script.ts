import { asUser } from "./as-user.ts";
import { gitScript } from "./git-script.ts";

/**
 * Says how a checkout and its links stand: `provision-dotfiles-look USER PATH COMMIT [NAME SOURCE]…`. Prints a word and
 * what belongs to it, a line each; see `readLook`. Without a commit only the links count, as they are. It looks only, never at the remote, and starts hardly a program
 * where all is as it should be.
 */
export const lookScript = asUser(`
commit=$1
shift
${gitScript}
newline='
'

# A line each is all there is room for.
say() {
  case $2 in *"$newline"*) set -- "$1" "?" ;; esac
  printf '%s %s\\n' "$1" "$2"
}

look_at_checkout() {
  if [ ! -e "$path/.git" ]; then
    is_there "$path" || return 0
    if [ ! -d "$path" ] || [ -n "$(ls -A "$path")" ]; then echo foreign; fi
    return 0
  fi
  echo checkout
  command -v git >/dev/null || return 0
  if ! why=$(at "$path" rev-parse --git-dir 2>&1 >/dev/null); then
    say broken "\${why%%"$newline"*}"
    return 0
  fi
  # Somebody else may have put a password into it.
  if url=$(at "$path" config --get remote.origin.url); then
    case $url in
      http://* | https://*)
        rest=\${url#*://} authority=\${url#*://} authority=\${authority%%/*}
        url=\${url%%://*}://\${authority##*@}\${rest#"$authority"}
        ;;
    esac
    say url "$url"
  fi
  head=$(head_of "$path") || head=
  [ -z "$head" ] || say head "$head"
  [ "$head" = "$commit" ] || local_changes "$path"
}

look_at_link() {
  place=$HOME/$1
  say link "$1"
  if [ -n "$commit" ] && [ "$place" -ef "$path/$2" ]; then
    echo right
    return 0
  fi
  case $1 in */*)
    above=$HOME
    rest=$1
    while :; do
      case $rest in */*) ;; *) break ;; esac
      above=$above/\${rest%%/*} rest=\${rest#*/}
      is_there "$above" || break
      if [ ! -d "$above" ]; then
        say blocked "$above"
        return 0
      fi
      case $(cd -P -- "$above" && pwd -P)/ in
        "$real"/*)
          say inside "$above"
          return 0
          ;;
      esac
    done
    ;;
  esac
  if [ -L "$place" ]; then
    say target "$(readlink "$place")"
  elif [ -f "$place" ]; then
    echo file
  elif [ -d "$place" ]; then
    echo directory
  elif [ -e "$place" ]; then
    echo other
  fi
  find_backups "$1"
  say free "$free"
  [ -z "$kept" ] || say kept "$kept"
}

say home "$HOME"
[ -d "$HOME" ] || echo homeless
! command -v git >/dev/null || echo git
[ -z "$commit" ] || look_at_checkout
real=$(cd -P -- "$path" 2>/dev/null && pwd -P) || real=$path
while [ $# -gt 1 ]; do
  look_at_link "$1" "$2"
  shift 2
done
exit 0
`);
