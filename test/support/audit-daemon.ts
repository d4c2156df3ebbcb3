import type { SystemdHost } from "./systemd-host.ts";

/**
 * Where the kernel gives out no audit events, this stands in for auditd: it starts the plugin, hands it what is written
 * to /run/audit-events, and at SIGHUP reads the plugin's file anew and tells it, as auditd does.
 */
const daemon = `#!/bin/sh
conf=/etc/audit/plugins.d/laurel.conf
[ -p /run/audit-events ] || mkfifo /run/audit-events
exec 3<>/run/audit-events
child=
isWanted() { grep -q '^active = yes' "$conf"; }
start() {
  $(sed -n 's/^path = //p' "$conf") $(sed -n 's/^args = //p' "$conf") <&3 &
  child=$!
}
reconfigure() {
  if ! isWanted; then
    [ -z "$child" ] || kill "$child"
    child=
  elif [ -n "$child" ] && kill -0 "$child"; then kill -HUP "$child"
  else start
  fi
}
trap reconfigure HUP
! isWanted || start
while :; do
  sleep 1 &
  wait $!
done
`;

/** Takes rules up to the first that is no rule, and keeps them in /run/audit-rules. */
const control = `#!/bin/sh
[ "$1" = -R ] || { echo "enabled 1"; exit 0; }
: >/run/audit-rules
number=0
while IFS= read -r line; do
  number=$((number + 1))
  case $line in
    '#'* | '') continue ;;
    *-S\\ nonsense*) echo "Syscall name unknown: nonsense"; echo "There was an error in line $number of $2"; exit 1 ;;
  esac
  echo "$line" >>/run/audit-rules
done <"$2"
`;

const unit = `[Service]
ExecStart=/usr/local/sbin/audit-daemon
[Install]
WantedBy=multi-user.target
`;

/** Puts both in the place of auditd's own. */
export async function standInForAuditd(host: SystemdHost): Promise<void> {
  const put = (path: string, text: string, mode: string) =>
    host.sh(`rm -f ${path} && cat >${path} <<'END' && chmod ${mode} ${path}\n${text}END`);
  await put("/usr/local/sbin/audit-daemon", daemon, "755");
  await put("/usr/sbin/auditctl", control, "755");
  await put("/etc/systemd/system/auditd.service", unit, "644");
  await host.sh("systemctl daemon-reload; systemctl reset-failed");
}

/** Hands laurel an event: a program with two arguments, of a rule with a key. */
export async function auditEvent(host: SystemdHost, number: number): Promise<void> {
  const stamp = `msg=audit(1700000000.100:${number})`;
  const lines = [
    `type=SYSCALL ${stamp}: arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 a2=3 a3=0 items=0 ppid=1 pid=1 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm="echo" exe="/usr/bin/echo" key="app"`,
    `type=EXECVE ${stamp}: argc=2 a0="echo" a1="event-${number}"`,
    `type=EOE ${stamp}: `,
  ];
  await host.sh(`cat >/run/audit-events <<'END'\n${lines.join("\n")}\nEND`);
}
