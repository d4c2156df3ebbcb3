import { asUser } from "./as-user.ts";
import { gitScript } from "./git-script.ts";

/**
 * Brings a checkout to a commit: `provision-dotfiles USER PATH REF COMMIT URL [SOURCE]…`, where each SOURCE is something
 * that the commit must have. Everything is fetched and looked at before anything that a user sees is changed; a new
 * checkout is made beside its place and put there whole. Nothing is fetched where the commit is there already.
 *
 * What was fetched is kept below refs/provision, apart from the user's own branches and tags.
 */
export const checkoutScript = asUser(`
ref=$1 commit=$2 url=$3
shift 3
${gitScript}
# What git said, then what it was about.
give_up() {
  [ -z "$said" ] || printf '%s\\n' "$said" | grep -v '^hint:' | tail -n 8 >&2
  fail "$@"
}

fetch() {
  case $url in
    # Whoever wrote the spec trusts this repository, whomever it belongs to.
    /* | file:*) set -- --upload-pack "git -c safe.directory=* upload-pack" "$url" "$@" ;;
    *) set -- "$url" "$@" ;;
  esac
  said=$(at "$work" fetch --quiet --no-tags --prune "$@" 2>&1)
}

fetch_all() {
  fetch '+refs/heads/*:refs/provision/heads/*' '+refs/tags/*:refs/provision/tags/*' \\
    '+refs/heads/*:refs/remotes/origin/*'
}

resolve() { at "$work" rev-parse --quiet --verify "$1^{commit}"; }

# Whether the commit is there and the ref leads to it; "why" says why not.
is_right() {
  if [ "$ref" = "$commit" ]; then
    why="it has no such commit"
    resolve "$commit" >/dev/null
    return
  fi
  why="it has neither a tag nor a branch of this name"
  if tag=$(resolve "refs/provision/tags/$ref"); then
    why="it must be commit $commit, is $tag"
    [ "$tag" != "$commit" ] || return 0
  fi
  if branch=$(resolve "refs/provision/heads/$ref"); then
    why="it must have commit $commit, has not"
    at "$work" merge-base --is-ancestor "$commit" "$branch" 2>/dev/null
    return
  fi
  return 1
}

said=
new=$path.provision-new
if [ -e "$path/.git" ]; then
  work=$path
  head=$(head_of "$path") || head=
  if [ "$head" != "$commit" ]; then
    changes=$(local_changes "$path") || exit 1
    [ -z "$changes" ] || fail "$path has changed meanwhile:" "$changes"
  fi
else
  work=$new head=
  mkdir -p -- "\${path%/*}" && rm -rf -- "$new" && at / -c init.defaultBranch=main init --quiet -- "$new" || exit 1
fi
old=$(at "$work" config --get remote.origin.url) || old=
if [ "$old" != "$url" ] || ! is_right; then
  fetch_all || give_up "Cannot fetch $ref from $url"
  if ! is_right; then
    # A commit of no branch: many servers give it to whoever knows its id.
    [ "$ref" = "$commit" ] && fetch "$commit" && is_right || give_up "Cannot find $ref in $url: $why"
  fi
fi
for source in "$@"; do
  at "$work" cat-file -e "$commit:$source" 2>/dev/null ||
    fail "Cannot link $source: it must be in commit $commit of $url, is not"
done

# Before the checkout moves: what is checked out came from the remote, whatever becomes of its branches.
at "$work" update-ref "refs/provision/pins/$commit" "$commit" || exit 1
[ "$old" = "$url" ] || at "$work" config --replace-all remote.origin.url "$url" || exit 1
at "$work" config --get remote.origin.fetch >/dev/null ||
  at "$work" config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || exit 1
if [ "$head" != "$commit" ]; then
  said=$(at "$work" checkout --quiet --detach --no-overwrite-ignore "$commit" 2>&1) ||
    give_up "Cannot check out $ref in $path"
fi
[ "$work" = "$path" ] || mv -T -- "$new" "$path" || exit 1
`);
