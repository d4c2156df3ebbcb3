import { entry } from "./entry.ts";

/** What goes wrong between us and a host: the line, the login, the window for maintenance. */
export const connection = {
  // — ssh —
  HOST_LOST: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot keep the connection to ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} is up and reachable, then run the same command again: it goes on where it stopped`,
  }),
  SSH_TARGET_MALFORMED: entry<{ target: string; what: string }>({
    exit: 2,
    say: ({ target, what }) => `Cannot read target "${target}": ${what}`,
    mend: () => "Write it as user@host, user@host:port or user@[IPv6 address]:port",
  }),
  SSH_CONFIG_REFUSED: entry<{ file: string; what: string; mend: string }>({
    exit: 2,
    say: ({ file, what }) => `Cannot use "${file}": ${what}`,
    mend: ({ mend }) => mend,
  }),
  SSH_UNREACHABLE: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot reach ${host}: ${reason}`,
    mend: ({ host }) => `Check that the machine is up and that ${host} is its right name, address and port`,
  }),
  SSH_REFUSED: entry<{ host: string }>({
    exit: 4,
    say: ({ host }) => `Cannot reach ${host}: the machine answers, but nothing listens on that port`,
    mend: () =>
      "Start the machine's SSH server (`systemctl start ssh` on Debian and Ubuntu), or give the port it listens on",
  }),
  SSH_TIMED_OUT: entry<{ host: string; stage: string; seconds: number }>({
    exit: 4,
    say: ({ host, stage, seconds }) =>
      `Cannot log in to ${host}: ${stage} must come within ${seconds} s, is still awaited`,
    mend: ({ host }) =>
      `Check that no firewall drops packets to ${host} and that the machine is not overloaded`,
  }),
  SSH_HANDSHAKE_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot speak SSH with ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that an SSH server answers at ${host} and read its log: it may refuse this address for a while after failed logins`,
  }),
  SSH_CHANNEL_REFUSED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start a program on ${host}: ${reason}`,
    mend: () => "Allow at least 3 sessions per connection: MaxSessions in the machine's sshd_config",
  }),
  SSH_NOT_UP: entry<{ host: string; stage: string; seconds: number; reason: string; tail: string }>({
    exit: 4,
    say: ({ host, stage, seconds, reason, tail }) =>
      `Cannot log in to ${host}: must be up, is not after ${seconds} s; reached: ${stage}; last: ${reason}${tail && `\n${tail}`}`,
    mend: () =>
      "Read the console above: it shows where the boot stands; under emulation or load, allow it more time",
  }),
  UPLOAD_FAILED: entry<{ host: string; path: string; reason: string }>({
    exit: 5,
    say: ({ host, path, reason }) => `Cannot copy to "${path}" on ${host}: ${reason}`,
    mend: ({ path }) => `Check that the folder of "${path}" exists on the machine, is writable and has space`,
  }),
  WORKER_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start the worker on ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} runs \`/bin/sh\` with coreutils as root and that /run is writable there`,
  }),
  // — login —
  LOGIN_REFUSED: entry<{ host: string; user: string; tried: string; takes: string }>({
    exit: 4,
    say: ({ host, user, tried, takes }) =>
      `Cannot log in to ${host}: "${user}" must have a key the machine knows, is refused (tried ${tried}; the machine takes ${takes})`,
    mend: ({ user }) =>
      `Check the user name; add your public key to ~${user}/.ssh/authorized_keys on the machine, or name the right key with IdentityFile in ~/.ssh/config`,
  }),
  KEY_ENCRYPTED: entry<{ host: string; file: string }>({
    exit: 4,
    say: ({ host, file }) =>
      `Cannot log in to ${host}: the key "${file}" must be usable without asking, is locked with a passphrase`,
    mend: ({ file }) => `Unlock it in the SSH agent: ssh-add "${file}"`,
  }),
  KEY_UNREADABLE: entry<{ host: string; file: string; reason: string }>({
    exit: 4,
    say: ({ host, file, reason }) => `Cannot log in to ${host} with the key "${file}": ${reason}`,
    mend: ({ file }) => `Check that "${file}" is a private key: ssh-keygen -y -f "${file}"`,
  }),
  HOST_KEY_DIFFERS: entry<{
    host: string;
    name: string;
    known: string;
    presented: string;
    file: string | undefined;
  }>({
    exit: 4,
    say: ({ host, known, presented, file }) =>
      `Cannot trust ${host}: its host key must be ${known}${file ? ` (${file})` : ""}, is ${presented}`,
    mend: ({ name, file }) =>
      file
        ? `Find out why the key changed: somebody may stand between. Only if the change is meant: ssh-keygen -f "${file}" -R "${name}"`
        : "Find out why another machine answers at this address: the key was given to this machine by provision itself",
  }),
  HOST_KEY_UNKNOWN: entry<{ host: string; presented: string; line: string; file: string }>({
    exit: 4,
    say: ({ host, presented }) =>
      `Cannot trust ${host}: its host key must be in known_hosts, is ${presented}, which nobody vouched for`,
    mend: ({ line, file }) =>
      `Compare the fingerprint with \`ssh-keygen -lf\` over /etc/ssh/ssh_host_*_key.pub on the machine itself; when equal: echo '${line}' >> "${file}"`,
  }),
  HOST_KEY_REVOKED: entry<{ host: string; presented: string; file: string }>({
    exit: 4,
    say: ({ host, presented, file }) =>
      `Cannot trust ${host}: its host key ${presented} is revoked in ${file}`,
    mend: () => "Give the machine a new host key; a revoked one was marked as stolen",
  }),
  HOST_KEY_AUTHORITY: entry<{ host: string; file: string }>({
    exit: 4,
    say: ({ host, file }) =>
      `Cannot trust ${host}: ${file} must have its plain host key, has a @cert-authority line only, and host certificates are not supported`,
    mend: ({ file }) => `Add the machine's own key to "${file}" beside the @cert-authority line`,
  }),
  RAISE_NO_SUDO: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) =>
      `Cannot become root on ${host}: "${user}" is not root, and sudo is not installed`,
    mend: () => "Install sudo on the machine, or log in as root",
  }),
  RAISE_PASSWORD_NEEDED: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) => `Cannot become root on ${host}: sudo wants a password of "${user}"`,
    mend: ({ user }) =>
      `Give the password, or allow it without one: \`${user} ALL=(ALL) NOPASSWD:ALL\` in a file of /etc/sudoers.d, checked by visudo -c`,
  }),
  RAISE_PASSWORD_WRONG: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) =>
      `Cannot become root on ${host}: sudo does not take the password given for "${user}"`,
    mend: ({ user }) =>
      `Give the password of "${user}" on that machine; it was sent once and is not sent again`,
  }),
  RAISE_REFUSED: entry<{ host: string; user: string; said: string }>({
    exit: 4,
    say: ({ host, user, said }) =>
      `Cannot become root on ${host}: sudo does not allow it to "${user}"${said && `\n${said}`}`,
    mend: ({ user }) =>
      `Allow it on the machine: \`${user} ALL=(ALL) ALL\` in a file of /etc/sudoers.d, checked by visudo -c`,
  }),
  RAISE_NEEDS_TTY: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) => `Cannot become root on ${host}: sudo wants a terminal (requiretty) of "${user}"`,
    mend: ({ user }) =>
      `Lift it on the machine: \`Defaults:${user} !requiretty\` in a file of /etc/sudoers.d`,
  }),
  RAISE_FAILED: entry<{ host: string; user: string; said: string }>({
    exit: 4,
    say: ({ host, user, said }) =>
      `Cannot become root on ${host} as "${user}": the login shell and sudo did not answer as they should${said && `\n${said}`}`,
    mend: ({ host }) =>
      `Log in to ${host} by hand and run \`sudo -n true; id\` to see what stands in the way`,
  }),
  // — maintenance —
  ROOT_NOT_READ_ONLY: entry<{ host: string; found: string }>({
    exit: 2,
    say: ({ host, found }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only by /etc/fstab, is ${found}`,
    mend: ({ host }) =>
      `Work on ${host} as it is, by ssh or \`provision apply\`: nothing has to be opened there`,
  }),
  WINDOW_OPEN: entry<{ host: string; holder: string }>({
    exit: 7,
    say: ({ host, holder }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only, is open for writing already, ${holder}`,
    mend: () =>
      "Work in that window, wait for its end, or close it: the same command with --close in place of the rest",
  }),
  WINDOW_NOT_OPENED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot open a maintenance window on ${host}: systemd there must arm its end and root must become writable${tail && `\n${tail}`}`,
    mend: () =>
      "Read what the machine says above; `journalctl -k -b` there knows why a disk cannot be written",
  }),
  WINDOW_NOT_CLOSED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot close the maintenance window on ${host}: root must be read-only again, is still writable${tail && `\n${tail}`}`,
    mend: () =>
      "Stop or restart on the machine what is named above (`systemctl restart UNIT`, `systemctl daemon-reexec` for systemd itself): it is tried again every 30 s; a reboot closes it too",
  }),
  MAINTENANCE_FAILED: entry<{ host: string; command: string; how: string; tail: string }>({
    exit: 5,
    say: ({ host, command, how, tail }) =>
      `Cannot do the maintenance of ${host}: \`${command}\` must exit 0, ${how}${tail && `\n${tail}`}`,
    mend: ({ command }) =>
      `Find out above why \`${command}\` failed; --for MINUTES gives it more time, and without a command the window stays open for you to look`,
  }),
} as const;
