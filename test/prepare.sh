#!/bin/sh
# Installs what only the tests need, where this machine is Debian's or Ubuntu's and we are root: a real sshd, other
# shells, sudo. Without it the tests that need them are skipped, and say so.
set -eu

wanted=
need() {
  command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || wanted="$wanted $2"
}
need /usr/sbin/sshd openssh-server
need sudo sudo
need tcsh tcsh
need busybox busybox-static
need gpg gnupg
need zstd zstd
need xz xz-utils
need zip zip
need strace strace
need unzip unzip
need curl curl
need wget wget
need /usr/bin/python3 python3
need perl perl
need script bsdutils
need /usr/include/libvirt/libvirt.h libvirt-dev
[ -n "$wanted" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "tests: not installed, so some tests are skipped:$wanted" >&2
  exit 0
fi
echo "tests: installing$wanted" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $wanted >/dev/null
