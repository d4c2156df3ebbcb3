#!/bin/sh
# A machine with systemd as its process 1, in namespaces of its own. Only the network is this machine's.
# usage: unshare --mount systemd-host.sh outer ROOT FILES SIZE
# Root's; prints "init PID" once process 1 is about to start.
set -eu

# The cgroup must be left before its namespace is made: process 1 takes where it then stands for the top.
outer() {
  # Its own, wherever this machine has it mounted, if at all.
  mount -t cgroup2 cgroup2 /mnt
  group=/mnt/provision-host-$$
  for left in /mnt/provision-host-*; do
    # What was killed outright could not tidy up.
    [ ! -d "$left" ] || kill -0 "${left##*-}" 2>/dev/null || remove "$left"
  done
  mkdir "$group"
  # TERM also comes when whoever started this is gone: nothing may outlive it.
  child='' stopped=''
  trap 'stopped=1; [ -z "$child" ] || kill -KILL "$child" 2>/dev/null' TERM
  sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' enter "$group" \
    unshare --mount --pid --uts --ipc --cgroup --fork --kill-child sh "$0" inner "$@" &
  child=$!
  [ -z "$stopped" ] || kill -KILL "$child"
  while kill -0 "$child" 2>/dev/null; do wait "$child" || :; done
  remove "$group"
}

# A cgroup whose last processes may still be ending.
remove() {
  for try in 1 2 3 4 5 6 7 8 9 10; do
    ! find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || return 0
    sleep 0.2
  done
}

inner() {
  # As the machine outside numbers it: its /proc is still mounted here.
  read -r pid _ </proc/self/stat
  mount -t tmpfs -o "mode=755,size=$3" host /mnt
  mkdir /mnt/upper /mnt/work /mnt/root
  root=/mnt/root
  mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" host "$root"
  mount -t proc proc "$root/proc"
  private_settings "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 run "$root/run"
  devices "$root/dev"
  cp -a "$2/." "$root"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  hostname provision-host
  cd "$root"
  mkdir -p .outside
  pivot_root . .outside
  umount -l /.outside
  rmdir /.outside
  echo "init $pid"
  # The clock and the kernel's modules are this machine's.
  exec setpriv --bounding-set=-sys_time,-sys_module --inh-caps=-sys_time,-sys_module \
    env -i container=provision-host PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --log-target=journal </dev/null >/dev/null 2>&1
}

# Most kernel settings belong to no namespace: a copy takes what is written, and this machine keeps its own.
private_settings() {
  copy=$(mktemp -d -p /mnt)
  mount -t tmpfs -o mode=555 sys "$copy"
  # Some can only be written, some answer with an error.
  cp -r "$1/." "$copy" 2>/dev/null || :
  mount --bind "$1/kernel/random" "$copy/kernel/random"
  mount --move "$copy" "$1"
}

devices() {
  mount -t tmpfs -o mode=755 dev "$1"
  mknod -m 666 "$1/null" c 1 3
  mknod -m 666 "$1/zero" c 1 5
  mknod -m 666 "$1/full" c 1 7
  mknod -m 666 "$1/random" c 1 8
  mknod -m 666 "$1/urandom" c 1 9
  mknod -m 666 "$1/tty" c 5 0
  mkdir "$1/pts" "$1/shm" "$1/mqueue"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/pts"
  mount -t tmpfs -o mode=1777 shm "$1/shm"
  ln -s pts/ptmx "$1/ptmx"
  ln -s /proc/self/fd "$1/fd"
  ln -s fd/0 "$1/stdin"
  ln -s fd/1 "$1/stdout"
  ln -s fd/2 "$1/stderr"
}

"$@"
