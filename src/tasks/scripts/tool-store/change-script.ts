import { prefixScript } from "./prefix-script.ts";
import { storeScript } from "./store-script.ts";
import { unpackScript } from "./unpack-script.ts";

/**
 * Changes the tools of a prefix: `provision-tools VERB PREFIX …`, where VERB is
 *
 * - `install TOOL ID MACHINE REPLACE COMMAND`, with what is to be unpacked on standard input (see `layoutTable`);
 * - `switch TOOL ID REPLACE`: brings a version into use that lies whole in the store;
 * - `remove TOOL`, and `tidy`, which removes what killed runs left.
 *
 * Killed at any moment, the next run finds what is to be done and ends it: a version is in the store whole or not at
 * all, `.switching` stands while links are being set, and everything else is in `.incoming`.
 */
export const changeScript = `
set -u
umask 022
verb=$1 prefix=$2
tool=\${3-} id=\${4-}
own=$prefix/share/provision
store=$own/store incoming=$own/store/.incoming home=$own/store/$tool
IFS=
${prefixScript}
${storeScript}
${unpackScript}
# Refuses what would take a place from somebody. With "replace" only other tools count.
refuse_obstacles() {
  foreign=
  while read -r link; do
    is_right "$link" && continue
    look_at "$link"
    case $found in
      taken) fail "$prefix/$at is a command or file of $owner too; one of $owner and $tool can be in $prefix" ;;
      foreign) foreign="$foreign
  $prefix/$at" ;;
    esac
  done <"$1"
  [ -z "$foreign" ] || [ "$replace" = yes ] ||
    fail "Cannot install $tool: somebody else's files are in the way; remove them, or say replace: true, which keeps them in $own/replaced:$foreign"
}

move_aside() {
  aside=$own/replaced/$1 number=0
  while [ -e "$aside" ] || [ -L "$aside" ]; do number=$((number + 1)) aside=$own/replaced/$1~$number; done
  mkdir -p -- "\${aside%/*}" && mv -fT -- "$prefix/$1" "$aside" || exit 1
  echo "$prefix/$1 was somebody else's: it is $aside now"
}

point() { ln -s -- "$2" "$incoming/link" && mv -fT -- "$incoming/link" "$home/$1" || exit 1; }

# Brings the version "id" into use. One rename changes what every link leads to; links that come or go with it are
# set after that, so that no command which both versions have is missing for a moment.
switch() {
  [ -e "$home/$id/.provision" ] || fail "$home/$id is gone"
  refuse_obstacles "$home/$id/.provision"
  : >"$home/.switching" || exit 1
  if old=$(readlink "$home/current") && [ "$old" != "$id" ] && [ -e "$home/$old/.provision" ]; then
    point previous "$old"
  fi
  point current "$id"
  for list in "$home"/*/.provision; do
    awk 'FILENAME == ARGV[1] { wanted[$0] = 1; next } !($0 in wanted)' "$home/$id/.provision" "$list"
  done | sort -u | remove_links || exit 1
  prune_directories
  make_directories "$home/$id/.provision"
  make_links <"$home/$id/.provision"
  kept=$(readlink "$home/previous") || kept=
  for path in "$home"/*/; do
    path=\${path%/}
    case \${path##*/} in current | previous | "$id" | "$kept") continue ;; esac
    discard "$path"
  done
  rm -f "$home/.switching" || exit 1
}

remove_links() {
  while read -r link; do
    look_at "$link"
    if [ "$found" = ours ] && [ -L "$prefix/$link" ] && [ "$at" = "$link" ]; then rm -f -- "$prefix/$link" || exit 1; fi
  done
}

# Those that we made and that hold nothing any more, the deepest first.
prune_directories() {
  [ -e "$own/directories" ] || return 0
  write_directories "$(sort -r "$own/directories" | while read -r each; do
    case $each in '' | . | share) ;; *) ! is_gone "$each" || continue ;; esac
    printf '%s\\n' "$each"
  done)"
}

is_gone() { [ -L "$prefix/$1" ] || [ ! -d "$prefix/$1" ] || rmdir -- "$prefix/$1" 2>/dev/null; }

# Written down first: what a killed run made is known to be ours.
make_directories() {
  missing=$(sed -n 's,/[^/]*$,,p' "$1" | sort -u | while read -r each; do
    while [ ! -d "$prefix/$each" ]; do
      printf '%s\\n' "$each"
      case $each in */*) each=\${each%/*} ;; *) break ;; esac
    done
  done | sort -u)
  [ -n "$missing" ] || return 0
  # In the way may be somebody's file; with "replace" it gives way.
  printf '%s\\n' "$missing" | while read -r each; do
    look_at "$each"
    [ "$found" != foreign ] || move_aside "$at"
  done || exit 1
  write_directories "$(cat "$own/directories" 2>/dev/null)
$missing"
  printf '%s\\n' "$missing" | while read -r each; do mkdir -p -- "$prefix/$each" || exit 1; done || exit 1
}

make_links() {
  real_prefix=$(cd -P -- "$prefix" && pwd -P) || exit 1
  known_parent=none
  while read -r link; do
    is_right "$link" && continue
    look_at "$link"
    [ "$found" != foreign ] || [ "$at" != "$link" ] || move_aside "$link"
    if [ -d "$prefix/$link" ] && [ ! -L "$prefix/$link" ]; then rmdir -- "$prefix/$link" || exit 1; fi
    set_target "$link"
    if [ -L "$prefix/$link" ]; then
      ln -s -- "$target" "$incoming/link" && mv -fT -- "$incoming/link" "$prefix/$link" || exit 1
    else
      ln -s -- "$target" "$prefix/$link" || exit 1
    fi
  done
}

# Relative, so that a prefix can be moved; from a directory that is itself a link to elsewhere, absolute.
set_target() {
  case $1 in */*) parent=\${1%/*} ;; *) parent= ;; esac
  if [ "$parent" != "$known_parent" ]; then
    known_parent=$parent above=$store
    real_parent=$(cd -P -- "$prefix/$parent" && pwd -P) || exit 1
    if [ "$real_parent" = "$real_prefix\${parent:+/$parent}" ]; then
      above=share/provision/store steps=$parent
      while [ -n "$steps" ]; do
        above=../$above
        case $steps in */*) steps=\${steps#*/} ;; *) steps= ;; esac
      done
    fi
  fi
  target=$above/$tool/current/$1
}

# At one blow: half of a version would look whole.
discard() { mv -fT -- "$1" "$incoming/gone" && rm -rf "$incoming/gone" || exit 1; }

remove_tool() {
  if [ -d "$home" ]; then
    for list in "$home"/*/.provision; do [ ! -e "$list" ] || cat "$list"; done | sort -u | remove_links || exit 1
    prune_directories
    discard "$home"
  fi
}

# With the last tool goes the store, and what of the directories around it we made.
leave() {
  sweep
  for path in "$store"/*/; do [ ! -d "$path" ] || return 0; done
  made=$(cat "$own/directories" 2>/dev/null)
  rm -rf "$store" || exit 1
  # Somebody's files that gave way stay, and what says which directories are ours with them.
  [ ! -e "$own/replaced" ] || return 0
  rm -rf "$own" || exit 1
  printf '%s\\n' "$made" | sort -r | while read -r each; do
    case $each in share | .) rmdir "$prefix/$each" 2>/dev/null ;; esac
  done
  return 0
}

case $verb in
  install)
    machine=$5 replace=$6 command=$7
    work=$incoming/work image=$incoming/image
    unpack_all
    refuse_obstacles "$image/.provision"
    mkdir -p -- "$home" || exit 1
    if [ -e "$home/$id" ]; then mv -fT -- "$home/$id" "$incoming/old" || exit 1; fi
    mv -fT -- "$image" "$home/$id" || exit 1
    switch
    sweep
    ;;
  switch)
    replace=$5
    prepare
    switch
    sweep
    ;;
  remove)
    prepare
    remove_tool
    leave
    ;;
  tidy) leave ;;
esac
`;
