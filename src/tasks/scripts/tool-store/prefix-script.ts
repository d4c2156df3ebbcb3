/**
 * Shell functions that tell whose a path of a prefix is. They want `prefix`, `store` and `tool`.
 *
 * `test -ef` (dash, bash and busybox have it) compares two files without a process for each; readlink(1) is asked
 * only where something else than the wanted link stands.
 */
export const prefixScript = `
# The link at a path of the prefix leads into the store: sets "owner" to the tool it leads to, empty for any other.
owner_of() {
  owner= up= rest=$1
  text=$(readlink "$prefix/$1") || return 0
  while :; do
    case $rest in */*) up=../$up rest=\${rest#*/} ;; *) break ;; esac
  done
  case $text in
    "$up"share/provision/store/*/*) owner=\${text#"$up"share/provision/store/} ;;
    "$store"/*/*) owner=\${text#"$store"/} ;;
  esac
  owner=\${owner%%/*}
}

# What stands at a path of the prefix: sets "found" to absent, ours, taken (by "owner") or foreign, and "at" to the
# path that is meant: that itself, or a directory above it.
look_at() {
  found=absent owner= at= below=$1
  while :; do
    case $below in */*) ;; *) break ;; esac
    at=\${at:+$at/}\${below%%/*} below=\${below#*/}
    if [ -L "$prefix/$at" ]; then
      owner_of "$at"
      [ -z "$owner" ] || { judge; return; }
      [ -d "$prefix/$at" ] || { found=foreign; return; }
    elif [ -e "$prefix/$at" ]; then
      [ -d "$prefix/$at" ] || { found=foreign; return; }
    else
      return
    fi
  done
  at=$1
  [ -e "$prefix/$1" ] || [ -L "$prefix/$1" ] || return 0
  found=foreign
  if [ -L "$prefix/$1" ]; then
    owner_of "$1"
    [ -z "$owner" ] || judge
  elif [ -d "$prefix/$1" ] && is_ours_throughout "$1"; then
    found=ours
  fi
}

# A directory of another version that holds nothing but its links: it goes with them.
is_ours_throughout() {
  if [ -L "$prefix/$1" ] || [ ! -d "$prefix/$1" ]; then return 1; fi
  ( cd "$prefix" && find "$1" ! -type d -print ) | {
    some=
    while read -r each; do
      owner_of "$each"
      [ "$owner" = "$tool" ] || exit 1
      some=yes
    done
    [ -n "$some" ]
  }
}

# A link of a tool that is gone is nobody's: whoever needs the place may have it.
judge() {
  if [ "$owner" != "$tool" ] && [ -d "$store/$owner" ]; then found=taken; else found=ours; fi
}

is_right() { [ -L "$prefix/$1" ] && [ "$prefix/$1" -ef "$store/$tool/current/$1" ]; }
`;
