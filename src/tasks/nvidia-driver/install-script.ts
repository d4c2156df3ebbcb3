import { aptScript } from "../scripts/apt-script.ts";

/**
 * Installs the packages of a driver and builds its module for one kernel:
 * `provision-nvidia LOCK-SECONDS LISTS-MINUTES MODULE VERSION KERNEL removed|kept [APT-ARGUMENT…]`; without arguments
 * for apt only the module is built. When dkms fails, the last lines it prints are the end of the compiler's log.
 */
export function installScript(root = ""): string {
  return `
set -u
lock_seconds=$1 lists_minutes=$2 module=$3 version=$4 kernel=$5 key=$6
shift 6

transaction() (
${aptScript(root)}
)

# apt and dkms only name the log. Lines are cut: those that call the compiler have thousands of characters.
end_of_log() {
  log=${root}/var/lib/dkms/$module/$version/build/make.log
  [ -e "$log" ] || return 0
  echo "From $log:"
  grep -m 4 -E '(^|[: ])(fatal )?error:' "$log" | cut -c 1-240
  echo "Its end:"
  tail -n 12 "$log" | cut -c 1-160
}

# Whoever had the key could sign modules for every machine of the image.
forget_key() {
  [ "$key" = kept ] || rm -f ${root}/var/lib/dkms/mok.key ${root}/var/lib/dkms/mok.pub
}

fail() {
  forget_key
  end_of_log >&2
  exit "$1"
}

is_installed() {
  dkms status "$module/$version" -k "$kernel" 2>/dev/null | grep -q ': installed'
}

if [ $# -gt 0 ]; then
  transaction "$lock_seconds" "$lists_minutes" install "$@" || fail $?
fi
# The packages build it by themselves, but not where the headers came later, or a build had failed.
is_installed || dkms install "$module/$version" -k "$kernel" || fail $?
forget_key
`;
}
