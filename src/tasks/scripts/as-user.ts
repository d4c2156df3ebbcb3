import type { Command } from "../../provisioner/core/task.ts";

/** A person's account, as far as a program needs it that runs as them. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/**
 * A shell function that runs a program as a user, with their files and their user manager and with none of root's
 * variables. It wants `name`, `uid` and `home`.
 */
export const asUserScript = `
as_user() {
  runuser -u "$name" -- env -i "HOME=$home" "USER=$name" "LOGNAME=$name" LC_ALL=C \\
    "PATH=$home/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \\
    "XDG_RUNTIME_DIR=/run/user/$uid" "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus" "$@"
}
`;

/**
 * The same script with the same arguments, run by a user: in a directory that is theirs, root would follow whatever
 * link they laid.
 */
export function asUser({ name, uid, home }: Account, { argv, ...command }: Command): Command {
  const [, , script = "", ...rest] = argv;
  const whole = `${asUserScript}
name=${quoted(name)} uid=${uid} home=${quoted(home)}
as_user sh -c ${quoted(script)} "$0" "$@"
`;
  return { ...command, argv: ["sh", "-c", whole, ...rest] };
}

/** Any text as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
