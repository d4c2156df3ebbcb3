import { asUser } from "./as-user.ts";

/**
 * Makes a link in the home: `provision-dotfiles-link USER PATH NAME SOURCE`. What is in its way gets another name; what
 * has that name stays, too: nothing is ever overwritten but a link of this task's own.
 */
export const linkScript = asUser(`
place=$HOME/$1 target=$path/$2
is_there "$target" || fail "Cannot link $place: $target must be in the checkout, is not"
case $1 in */*) mkdir -p -- "\${place%/*}" || exit 1 ;; esac
if is_ours "$place"; then
  rm -f -- "$place.provision-new"
  ln -s -T -- "$target" "$place.provision-new" && mv -f -T -- "$place.provision-new" "$place"
  exit
fi
if is_there "$place"; then
  find_backups "$1"
  mv -n -T -- "$place" "$HOME/$free" || exit 1
  ! is_there "$place" || fail "Cannot move $place out of the way: $HOME/$free has come up meanwhile"
  echo "$place was in the way: it is $HOME/$free now"
fi
ln -s -T -- "$target" "$place"
`);

/**
 * Removes a link from the home: `provision-dotfiles-unlink USER PATH NAME`. What was in its way comes back; of several,
 * what was there last.
 */
export const unlinkScript = asUser(`
place=$HOME/$1
is_ours "$place" || exit 0
find_backups "$1"
[ -n "$kept" ] || exec rm -f -- "$place"
# By one rename, so that there is always something; a directory cannot take a link's place.
if [ -d "$HOME/$kept" ] && [ ! -L "$HOME/$kept" ]; then rm -f -- "$place" || exit 1; fi
mv -f -T -- "$HOME/$kept" "$place"
`);
