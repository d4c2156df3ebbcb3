import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import type { DeployProject } from "./deploy-project.ts";

/** A deployed host that a test looks into by an ssh of its own. */
export interface DeployedGuest {
  /** Flags by which `provision apply` and its like reach it. */
  readonly login: readonly string[];
  /** Runs a script as root and gives what it printed, whatever its exit code. */
  sh(script: string): Promise<string>;
  /** The same as one who logs in: only sshd gives a session with a systemd of its own. */
  as(user: string, script: string): Promise<{ exitCode: number | undefined; all: string }>;
  /** After a boot: until the machine and a user's own services are up, or have failed. */
  waitUntilUp(user: string): Promise<void>;
  /** Puts a file into a home. */
  put(user: string, name: string, bytes: Uint8Array): Promise<void>;
}

/** Opens one, as its user `visitor`, who may do everything; host key by what `provision deploy` wrote down. */
export async function openGuest(
  project: DeployProject,
  name: string,
  address: string,
): Promise<DeployedGuest> {
  const known = await readFile(join(project.home, ".local/state/provision/known_hosts"), "utf8");
  const line = known.split("\n").find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${name} is not in ${known}`);
  const knownHosts = join(project.folder, `known-${name}`);
  await writeFile(knownHosts, `${line.replace(name, address)}\n`);
  const options = `-F none -i ${project.keyFile} -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes -o BatchMode=yes`;
  const ssh = (user: string, script: string, input: Uint8Array | string = "") =>
    execa("ssh", [...options.split(" "), `${user}@${address}`, script], { all: true, reject: false, input });
  return {
    login: `--target visitor@${address} --identity ${project.keyFile} --known-hosts ${knownHosts}`.split(" "),
    async sh(script) {
      const { stdout } = await ssh("visitor", `sudo sh -c '${script.replaceAll("'", String.raw`'\''`)}'`);
      return stdout.trim();
    },
    async as(user, script) {
      const { exitCode, all } = await ssh(user, `set -e\n${script}`);
      return { exitCode, all };
    },
    async waitUntilUp(user) {
      for (let tries = 0; tries < 120; tries += 1) {
        const { exitCode } = await ssh(user, "systemctl is-system-running --wait");
        if (exitCode !== 255) break;
        await new Promise((resolve) => setTimeout(resolve, 5000));
      }
      await ssh(user, "systemctl --user is-system-running --wait");
    },
    async put(user, path, bytes) {
      const { exitCode, all } = await ssh(user, `cat >${path}`, bytes);
      if (exitCode !== 0) throw new Error(all);
    },
  };
}
