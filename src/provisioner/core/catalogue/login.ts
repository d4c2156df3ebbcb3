import { entry } from "./entry.ts";

/** Why a host is not trusted, does not let us in, or does not let us be root. */
export const login = {
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
} as const;
