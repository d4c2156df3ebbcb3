import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { makeTar, type TarMember } from "./make-archive.ts";
import { renderStrict } from "./strict-templates.ts";
import type { Release } from "./tool-project.ts";

/** Packages of Debian that have the programs of the tree, and what these need around them. */
export const treePackages: readonly string[] = [
  "busybox-static",
  "bypass4netns",
  "containerd",
  "dbus-user-session",
  "iptables",
  "nftables",
  "rootlesskit",
  "runc",
  "slirp4netns",
  "uidmap",
];

/** Debian's own builds, by where they lie in a root. */
const programs = [
  "usr/bin/bypass4netns",
  "usr/bin/bypass4netnsd",
  "usr/bin/containerd",
  "usr/bin/containerd-shim-runc-v2",
  "usr/bin/ctr",
  "usr/bin/rootlesskit",
  "usr/sbin/runc",
];

/** Upstream's brings all that it needs; Debian's brings its library along. */
const slirp = ["usr/bin/slirp4netns", "usr/lib/x86_64-linux-gnu/libslirp.so.0"];
const startSlirp = `#!/bin/sh
own=$(dirname "$(readlink -f "$0")")/../libexec/slirp4netns
LD_LIBRARY_PATH=$own exec "$own/slirp4netns" "$@"
`;

/**
 * A release laid out as the full one of nerdctl, of Debian's programs from a root that has them. In the place of its
 * scripts are ours, with the same interface; nerdctl only says its version, and buildkitd only stays.
 */
export async function rootlessTree(root: string, version: string): Promise<Release> {
  const taken = async (paths: readonly string[], folder: string) =>
    Promise.all(
      paths.map(async (path): Promise<TarMember> => {
        const body = await readFile(join(root, path));
        return { path: `${folder}/${basename(path)}`, mode: 0o755, body };
      }),
    );
  const builds = [...(await taken(programs, "bin")), ...(await taken(slirp, "libexec/slirp4netns"))];
  const scripts = {
    slirp4netns: startSlirp,
    nerdctl: `#!/bin/sh\necho nerdctl ${version}\n`,
    buildkitd: "#!/bin/sh\nexec sleep infinity\n",
    "containerd-rootless.sh": renderStrict("containerd/rootless-containerd", { rootlesskit: "rootlesskit" }),
    "containerd-rootless-setuptool.sh": setUpTool(version),
  };
  return {
    name: "nerdctl",
    file: `nerdctl-full-${version}-linux-amd64.tar`,
    body: makeTar([
      ...builds,
      ...Object.entries(scripts).map(([name, body]) => ({ path: `bin/${name}`, mode: 0o755, body })),
      { path: "lib/systemd/system/containerd.service", body: `[Service] # ${version}\n` },
      { path: "libexec/cni/bridge", mode: 0o755, body: "#!/bin/sh\n" },
      { path: "share/doc/nerdctl-full/README.md", body: `${version}\n` },
    ]),
    entry: { version, extract_to: "~/.local", license: "Apache-2.0" },
  };
}

/** It writes a unit only where there is none, starts what does not run, enables it, and never removes data. */
function setUpTool(version: string): string {
  return `#!/bin/sh
set -eu
[ "$(id -u)" != 0 ] || { echo "not as root" >&2; exit 1; }
: "\${XDG_RUNTIME_DIR:?}" "\${HOME:?}"
bin=$(dirname "$(command -v containerd-rootless.sh)")
systemctl --user show-environment >/dev/null
units=$HOME/.config/systemd/user

install_unit() {
  if [ -e "$units/$1" ]; then
    echo "$units/$1 is there"
  else
    mkdir -p "$units"
    cat >"$units/$1" <<END
[Unit]
Description=$1 of ${version}
$3
[Service]
Environment=PATH=$bin:/sbin:/usr/sbin:$PATH
ExecStart=$2
Restart=always
RestartSec=2
Delegate=yes
KillMode=mixed
[Install]
WantedBy=default.target
END
    systemctl --user daemon-reload
  fi
  systemctl --user is-active "$1" || { systemctl --user start "$1"; sleep 2; }
  systemctl --user is-active "$1"
  systemctl --user enable "$1"
}

uninstall_unit() {
  [ -e "$units/$1" ] || return 0
  systemctl --user stop "$1" || :
  systemctl --user disable "$1" || :
  rm "$units/$1"
}

case $1 in
  install)
    rootlesskit true
    install_unit containerd.service "$bin/containerd-rootless.sh" Requires=dbus.socket
    ;;
  install-bypass4netnsd) install_unit bypass4netnsd.service "$(command -v bypass4netnsd)" "" ;;
  install-buildkit-containerd)
    systemctl --user is-active containerd.service
    install_unit buildkit.service "$(realpath "$0") nsenter -- buildkitd" PartOf=containerd.service
    ;;
  nsenter)
    shift 2
    exec nsenter --no-fork --preserve-credentials "--wdns=$PWD" -m -U -t "$(cat "$XDG_RUNTIME_DIR/containerd-rootless/child_pid")" -- "$@"
    ;;
  uninstall-buildkit-containerd) uninstall_unit buildkit.service ;;
  uninstall) for unit in buildkit containerd bypass4netnsd; do uninstall_unit $unit.service; done ;;
  *) exit 2 ;;
esac
`;
}
