/**
 * Shell functions that unpack the files of a tool and lay them out as an image of a prefix. They want `incoming`,
 * `work`, `image`, `tool`, `machine` and `command`, and read what is to be done from standard input.
 */
export const unpackScript = `
# An absent program, what it is for, and the package that has it.
need() {
  command -v "$1" >/dev/null ||
    fail "Cannot unpack $2: $1 must be installed, is missing; add the package $3 to the spec, before this use"
}

unpack_all() {
  mkdir -m 700 -- "$work" && mkdir -m 755 -- "$image" || exit 1
  count=0 own_directory=
  while read -r line; do
    rest=\${line#* }
    case $line in
      artifact\\ *) unpack "\${rest%% *}" "\${rest#* }" ;;
      tree\\ *)
        own_directory=$rest into=$image/$rest
        [ "$rest" != . ] || own_directory= into=$image
        mkdir -p -- "$into" || exit 1
        ;;
      root\\ *) place_tree "$rest" ;;
      binary\\ *) place_program "$part" "\${rest%% *}" "\${rest#* }" ;;
      tree-binary\\ *) place_program "$image" "\${rest%% *}" "\${rest#* }" ;;
      extra\\ *) place_extras "$part" "\${rest%% *}" "\${rest#* }" ;;
      tree-extra\\ *) place_extras "$image" "\${rest%% *}" "\${rest#* }" ;;
    esac
  done
  finish
}

# Format, then digest and name. Checked again here: from now on nobody but root can get at the file.
unpack() {
  sha256=\${2%% *} name=\${2#* } count=$((count + 1))
  part=$work/$count archive=$incoming/$sha256
  found=$(sha256sum <"$archive") && [ "\${found%% *}" = "$sha256" ] ||
    fail "Cannot use $name: its SHA-256 must be $sha256, is \${found%% *}"
  mkdir -m 700 -- "$part" || exit 1
  case $1 in
    tar) untar cat ;;
    tar.gz) need gzip "$name" gzip; untar gzip -dc ;;
    tar.xz) need xz "$name" xz-utils; untar xz -dc ;;
    tar.zst) need zstd "$name" zstd; untar zstd -dc ;;
    zip) unpack_zip ;;
    raw) mv -fT -- "$archive" "$part/$name" || exit 1 ;;
    *) fail "Cannot unpack $name: nobody here knows the format $1" ;;
  esac
  rm -f "$archive" || exit 1
  # What was sent was looked through before; what this machine downloaded itself was not.
  odd=$(find "$part" ! -type f ! -type d ! -type l -print | head -n 1)
  [ -z "$odd" ] || fail "Cannot use $name: \${odd#"$part"/} is a device, socket or pipe"
  odd=$(find "$part" -type f \\( -perm -4000 -o -perm -2000 \\) -print | head -n 1)
  [ -z "$odd" ] || fail "Cannot use $name: \${odd#"$part"/} would run as somebody else (set-user-id or set-group-id)"
  odd=$(find "$part" -name '*[[:cntrl:]]*' -print | head -n 1)
  [ -z "$odd" ] || fail "Cannot use $name: a name in it has a control character"
}

# The program that decompresses, with its arguments. A pipe ends with tar alone, so the other one leaves a note.
untar() {
  need tar "$name" tar
  { "$@" <"$archive" || : >"$work/failed"; } | tar -x -o --no-same-permissions -f - -C "$part" ||
    fail "Cannot unpack $name"
  [ ! -e "$work/failed" ] || fail "Cannot unpack $name: $1 failed"
}

unpack_zip() {
  if command -v unzip >/dev/null; then
    unzip -q "$archive" -d "$part" </dev/null
  elif command -v bsdtar >/dev/null; then
    bsdtar -x --no-same-owner --no-same-permissions -f "$archive" -C "$part"
  else
    need python3 "$name" unzip
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' "$archive" "$part"
  fi || fail "Cannot unpack $name"
}

place_tree() {
  if [ -L "$part/$1" ] || [ ! -d "$part/$1" ]; then lacks "$1"; fi
  merge "$part/$1" "$into"
}

# Moves what is in a directory into another, as \`cp -a\` would lay it over: of two files the later one stays.
merge() {
  for each in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ ! -e "$each" ] && [ ! -L "$each" ]; then continue; fi
    there=$2/\${each##*/}
    if [ -d "$each" ] && [ ! -L "$each" ] && [ -d "$there" ] && [ ! -L "$there" ]; then
      # A function has no variables of its own, a subshell has.
      ( merge "$each" "$there" ) || exit 1
    else
      rm -rf -- "$there" && mv -fT -- "$each" "$there" || exit 1
    fi
  done
}

# Where it is looked for, the command, and the path there.
place_program() {
  source=$1/$3
  [ "$3" != . ] || source=$1/$name
  shown=\${source#"$1"/}
  [ -f "$source" ] || lacks "$shown"
  inside "$1" "$source" || fail "Cannot use $name: $shown leads out of it"
  check_program "$real" "$shown"
  chmod 755 "$real" && put "$1" "$source" "bin/$2" || exit 1
}

# The kind, and a pattern; a missing manual page is no reason to do without the program.
place_extras() {
  some=
  for source in "$1"/$3; do
    [ -f "$source" ] || continue
    inside "$1" "$source" || fail "Cannot use $name: \${source#"$1"/} leads out of it"
    some=yes base=\${source##*/}
    case $2 in
      bash) place=share/bash-completion/completions/$(completed) ;;
      zsh) place=share/zsh/site-functions/_$(completed) ;;
      fish) place=share/fish/vendor_completions.d/$(completed).fish ;;
      doc) place=share/doc/$tool/$base ;;
      *) place=share/man/$2/$base ;;
    esac
    put "$1" "$source" "$place" || exit 1
  done
  [ -n "$some" ] || echo "$name holds no $3: the tool comes without"
}

# The command that the completions in "base" are for: rg of rg.bash, _rg and rg.fish.
completed() {
  bare=$(printf '%s\\n' "$base" | sed -E 's/^_//; s/\\.(bash|zsh|fish|sh)(-completion)?$|[.-]completion$//')
  case $bare in '' | bash | zsh | fish | completion | completions | complete | autocomplete) bare=$command ;; esac
  printf '%s\\n' "$bare"
}

# A file at its place in the image: a link where it has to stay in its tree, else the file itself.
put() {
  [ "$2" != "$image/$3" ] || return 0
  mkdir -p -- "$image/\${3%/*}" && rm -f -- "$image/$3" || return
  if [ "$1" = "$image" ]; then
    above= steps=$3
    while :; do
      case $steps in */*) above=../$above steps=\${steps#*/} ;; *) break ;; esac
    done
    ln -s -- "$above\${2#"$image"/}" "$image/$3"
  else
    # Two commands may be one file of the archive: it is not moved away. Some file systems have no hard links.
    ln -- "$real" "$image/$3" 2>/dev/null || cp -p -- "$real" "$image/$3"
  fi
}

# Sets "real" to where a path leads, and says whether that is inside.
inside() {
  real=$(readlink -f -- "$2") && root=$(readlink -f -- "$1") || return
  case $real in "$root"/*) ;; *) return 1 ;; esac
}

# By the head of an ELF file: its machine is at byte 18.
check_program() {
  head=$(od -A n -t x1 -N 20 "$1" | tr -d ' \\n') || exit 1
  case $machine:$head in
    *:2321* | x86_64:7f454c46????????????????????????????3e00 | aarch64:7f454c46????????????????????????????b700) ;;
    *:7f454c46*) fail "Cannot use $name: $2 must be a program for $machine, is one for another machine" ;;
    *) fail "Cannot use $name: $2 must be a program for $machine, is none" ;;
  esac
}

lacks() {
  near=$(find "$part" "$image" -name "\${1##*/}" -print | head -n 1)
  near=\${near#"$part"/} near=\${near#"$image"/}
  fail "Cannot use $name: it must hold $1, does not\${near:+; it holds $near}; correct $tool in versions.yaml"
}

# Modes and owners, links that must not lead out, and the lists of what the version wants and has.
finish() {
  chmod -R u+rwX,go+rX,go-w "$image" || exit 1
  [ "$(id -u)" != 0 ] || chown -hR 0:0 "$image" || exit 1
  find "$image" -type l -print | while read -r each; do
    if [ ! -e "$each" ] || ! inside "$image" "$each"; then
      fail "Cannot use $name: the link \${each#"$image"/} leads nowhere, or out of what is installed"
    fi
  done || exit 1
  ( cd "$image" && find . ! -type d -print ) | sed 's,^\\./,,' | own=$own_directory awk '
    BEGIN { own = ENVIRON["own"] "/" }
    own != "/" && index($0, own) == 1 { $0 = ENVIRON["own"] }
    { print }' | sort -u >"$work/links" || exit 1
  ! grep -q '^share/provision/' "$work/links" || fail "Cannot use $name: share/provision is not a tool's to have"
  ( cd "$image" && for each in bin/*; do
    [ ! -f "$each" ] || [ ! -x "$each" ] || stat -L -c '%s %n' -- "$each" || exit 1
  done ) >"$work/sizes" || exit 1
  chmod 644 "$work/links" "$work/sizes" && mv -fT "$work/sizes" "$image/.commands" || exit 1
  # Last: where this list is, the version is whole.
  mv -fT "$work/links" "$image/.provision" || exit 1
  # To the disk before it gets its name: after a power cut a version that looks whole would hold empty files.
  sync -f "$image" 2>/dev/null || sync
}
`;
