/**
 * Shell functions around the checkout at `$path`. Of git's settings only the machine's and the checkout's own count, and
 * of those none that starts programs: what is fetched is what the spec says, whatever the user's own settings make of an
 * address. Nothing asks questions, as nobody would answer; passwords are read from ~/.git-credentials, which git itself would
 * empty when a server refuses one.
 */
export const gitScript = `
export GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_OPTIONAL_LOCKS=0
# A home that is itself a checkout is not the one that is meant.
export GIT_CEILING_DIRECTORIES="\${path%/*}"
export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"
export GIT_HTTP_LOW_SPEED_LIMIT=100 GIT_HTTP_LOW_SPEED_TIME=60
unset GIT_DIR GIT_WORK_TREE

at() {
  where=$1
  shift
  git -C "$where" -c core.hooksPath=/dev/null -c core.fsmonitor=false -c advice.detachedHead=false \\
    -c gc.auto=0 -c 'credential.helper=!f() { [ "$1" != get ] || git credential-store get; }; f' "$@"
}

head_of() { at "$1" rev-parse --quiet --verify 'HEAD^{commit}'; }

# Says what a checkout has that would be lost or torn apart if it moved, a line each: busy WHAT, dirty FILE, ahead COUNT.
local_changes() {
  directory=$(at "$1" rev-parse --absolute-git-dir) || return 1
  for work in rebase-merge:rebase rebase-apply:rebase MERGE_HEAD:merge CHERRY_PICK_HEAD:cherry-pick \\
    REVERT_HEAD:revert BISECT_LOG:bisect; do
    [ ! -e "$directory/\${work%:*}" ] || echo "busy \${work#*:}"
  done
  at "$1" status --porcelain --untracked-files=no | sed -n '1,5s/^.. /dirty /p'
  head_of "$1" >/dev/null || return 0
  ahead=$(at "$1" rev-list --count HEAD --not --remotes --glob=refs/provision) || return 1
  [ "$ahead" = 0 ] || echo "ahead $ahead"
}
`;
