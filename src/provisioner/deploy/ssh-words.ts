import { existsSync } from "node:fs";

import type { SshTarget } from "../host/ssh-target.ts";

/** What ssh(1) is told to reach a host as provision does: its key is known, and no other is taken. */
export function sshWords(
  target: SshTarget,
  { knownHosts, command }: { readonly knownHosts: string; readonly command: readonly string[] },
): readonly [string, ...string[]] {
  const { host, user, knownAs, jumps } = target;
  return [
    "ssh",
    ...option("HostKeyAlias", knownAs),
    ...option("UserKnownHostsFile", quoted(knownHosts)),
    ...option("GlobalKnownHostsFile", "none"),
    ...option("StrictHostKeyChecking", "yes"),
    ...(target.identitiesOnly ? option("IdentitiesOnly", "yes") : []),
    ...keyWords(target),
    ...jumpWords(jumps),
    "-l",
    user,
    host,
    ...(command.length > 0 ? ["--", ...command] : []),
  ];
}

function option(name: string, value: string): readonly string[] {
  return ["-o", `${name}=${value}`];
}

/** ssh complains of each file that is not there. */
function keyWords({ identityFiles }: Pick<SshTarget, "identityFiles">): readonly string[] {
  return identityFiles.filter((file) => existsSync(file)).flatMap((file) => ["-i", file]);
}

/** ProxyJump takes no key for the machine on the way; a command of its own does. */
function jumpWords(jumps: readonly SshTarget[]): readonly string[] {
  const words = jumps.reduce<string>((inner, jump) => {
    const { host, user, port, knownHosts } = jump;
    const known = knownHosts.map(quoted).join(" ");
    const before = inner === "" ? [] : ["-o", shellQuoted(`ProxyCommand=${inner}`)];
    const all = [
      "ssh",
      ...before,
      "-o",
      shellQuoted(`UserKnownHostsFile=${known}`),
      ...keyWords(jump).map(shellQuoted),
      "-p",
      String(port),
      "-l",
      shellQuoted(user),
      "-W",
      "[%h]:%p",
      shellQuoted(host),
    ];
    return all.join(" ");
  }, "");
  return words === "" ? [] : option("ProxyCommand", words);
}

/** ssh takes a blank in a file's name for the end of it. */
function quoted(path: string): string {
  return /[\s"]/.test(path) ? `"${path.replaceAll('"', String.raw`\"`)}"` : path;
}

/** A ProxyCommand is run by a shell; `%` is ssh's own there. */
function shellQuoted(word: string): string {
  const plain = word.replaceAll("%", "%%");
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", String.raw`'\''`)}'`;
}
