/** Shell functions that make the store of a prefix ready. They want `prefix`, `own`, `store` and `incoming`. */
export const storeScript = `
fail() { printf '%s\\n' "$1" >&2; exit 1; }

# Whatever lies in .incoming while nobody works is rubbish.
sweep() { rm -rf "$store"/.incoming* || exit 1; }

prepare() {
  sweep
  made=
  if [ ! -e "$own/directories" ]; then
    [ -d "$prefix" ] || made=.
    # Killed after it was made and before that was written down, nothing else is in it.
    if [ ! -d "$prefix/share" ] || [ "$(ls -A "$prefix/share")" = provision ]; then
      made="$made
share"
    fi
  fi
  said=$(mkdir -p -- "$store" 2>&1 && mkdir -m 700 -- "$incoming" 2>&1) ||
    fail "Cannot write to $prefix: $said; make it writable before this use (a read-only system takes a maintenance window), or name another prefix"
  # What \`provision install\` knows by heart is out of date.
  rm -f "$own/state.json"
  [ -e "$own/directories" ] || write_directories "$made"
}

# In order and without repeats: the same directories are the same list.
write_directories() {
  printf '%s\\n' "$1" | sort -u | sed '/^$/d' >"$incoming/directories" && mv -f "$incoming/directories" "$own/directories" || exit 1
}
`;

/**
 * Makes the store of a prefix, and an empty directory in it that the files of a tool are sent to:
 * `provision-tools-prepare PREFIX`. By itself, as it comes before each tool and the rest of the scripts is long.
 */
export const prepareScript = `
set -u
umask 022
prefix=$1 own=$1/share/provision store=$1/share/provision/store incoming=$1/share/provision/store/.incoming
${storeScript}
prepare
`;
