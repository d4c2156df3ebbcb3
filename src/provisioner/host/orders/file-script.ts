/** Shell functions that put files, links and directories in place, and remove them. */
export const fileScript = `
# Compare and set: "any", "absent", or the digest of what a plan was made on.
unchanged() {
  case $2 in
    any) ;;
    absent) [ ! -e "$1" ] ;;
    *) [ -f "$1" ] && found=$(sha256sum <"$1") && [ "\${found%% *}" = "$2" ] ;;
  esac
}

parent_of() { parent=\${1%/*}; parent=\${parent:-/}; }

# Standard input to a file: path, digest, expected, owner:group, mode.
put() (
  parent_of "$1"
  temp=$(mktemp "$parent/.provision.XXXXXXXXXX") || exit 1
  trap 'rm -f "$temp"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  cat >"$temp" || exit 1
  found=$(sha256sum <"$temp") && [ "\${found%% *}" = "$2" ] || { echo "$1: arrived damaged: must have SHA-256 $2, has \${found%% *}"; exit 1; }
  chown -- "$4" "$temp" && chmod -- "$5" "$temp" && sync -- "$temp" || exit 1
  unchanged "$1" "$3" || exit 75
  mv -fT -- "$temp" "$1" || exit 1
  trap - EXIT
  sync -- "$parent"
) 2>&1

# Path, target, expected.
put_link() (
  parent_of "$1"
  unchanged "$1" "$3" || exit 75
  temp=$(mktemp -u "$parent/.provision.XXXXXXXXXX") && ln -sT -- "$2" "$temp" || exit 1
  mv -fT -- "$temp" "$1" && sync -- "$parent" && exit
  rm -f "$temp"
  exit 1
) 2>&1

# Path; owner:group and mode when it is new; what to set when it is there.
put_directory() (
  # With /. a link to a directory stands for the directory.
  if [ -d "$1" ]; then set_attributes "$1/." "$4" "$5"; exit; fi
  parent_of "$1"
  mkdir -p -- "$parent" && ( umask 077; mkdir -- "$1" ) && set_attributes "$1" "$2" "$3"
) 2>&1

# Path, then owner:group and mode; empty stays as it is. A link has no mode of its own.
set_attributes() {
  [ -z "$2" ] || chown -h -- "$2" "$1" || return
  [ -n "$3" ] || return 0
  [ ! -L "$1" ] || { echo "$1: is a symbolic link and has no mode"; return 1; }
  chmod -- "$3" "$1"
}

# Path, expected. A mount below stops it before anything is gone.
remove() (
  unchanged "$1" "$2" || exit 75
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    real=$(cd -P -- "$1" && pwd -P && echo .) || exit 1
    real=\${real%??} below=$(mounts_in) || { echo "cannot read the mounts"; exit 1; }
    [ -z "$below" ] || { echo "$1: holds a mount point: $below"; exit 1; }
  fi
  rm -rf --one-file-system -- "$1"
) 2>&1

# mountinfo writes space, tab, newline and backslash in octal.
mounts_in() {
  real=$real awk '
    { m = $5; gsub(/\\\\040/, " ", m); gsub(/\\\\011/, "\\t", m); gsub(/\\\\012/, "\\n", m); gsub(/\\\\134/, "\\\\", m) }
    m == ENVIRON["real"] || index(m, ENVIRON["real"] "/") == 1 { print m; exit }' /proc/self/mountinfo
}
`;
