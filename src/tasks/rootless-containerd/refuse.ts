import { Refusal } from "../../provisioner/core/task.ts";
import type { Account } from "../scripts/as-user.ts";
import type { Found } from "./look.ts";
import { unitDirectory } from "./units.ts";

const mend = "apply the spec containerd before this use";

/** What the look says is missing, and what is to be done about it. */
const words: Readonly<Record<string, (user: string) => string>> = {
  newuidmap: () => `the program newuidmap must be there, is not; ${mend}, or install the package uidmap`,
  newgidmap: () => `the program newgidmap must be there, is not; ${mend}, or install the package uidmap`,
  "dbus.socket": () =>
    `a user's systemd must have a message bus, has none; ${mend}, or install the package dbus-user-session`,
  subuid: (user) => rangeIn("/etc/subuid", user),
  subgid: (user) => rangeIn("/etc/subgid", user),
  home: (user) => `the home of "${user}" must be there, is not; make it before this use`,
};

function rangeIn(path: string, user: string): string {
  return `"${user}" must have a range of numbers in ${path}, has none; add \`subuid: {user: ${user}}\` before this use (users that are made after the spec containerd get one by themselves)`;
}

/** Refuses the one user who needs none of it. */
export function refuseRoot(user: string): void {
  if (user === "root")
    throw new Refusal("its user must not be root, is; the package containerd is what root would run");
}

/** Refuses a machine on which it cannot work, with the way out; gives whose it is. */
export function accountFor(user: string, { isThere, account, lacks, hasManager, units }: Found): Account {
  // Planned without a machine: whoever it will be.
  if (!isThere) return { name: user, uid: 1000, home: `/home/${user}` };
  if (!account)
    throw new Refusal(`"${user}" must be a user, is none; add \`user: {name: ${user}}\` before this use`);
  for (const [word, say] of Object.entries(words)) if (lacks.includes(word)) throw new Refusal(say(user));
  if (hasManager && units.size === 0)
    throw new Refusal(
      `the systemd of "${user}" must answer, does not; look at \`systemctl status user@${account.uid}.service\` there`,
    );
  return account;
}

/** A unit that somebody made by hand would be lost. */
export function refuseForeign(names: readonly string[], { units, account }: Found): void {
  const foreign = names.find((name) => {
    const state = units.get(name);
    return state?.hasFile === true && state.stamp === undefined;
  });
  if (foreign === undefined) return;
  throw new Refusal(
    `"${account?.home}/${unitDirectory}/${foreign}" must be absent or of this task, is somebody else's; remove it first (\`containerd-rootless-setuptool.sh uninstall\`), or say replace: true`,
  );
}
