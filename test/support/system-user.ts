import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** A user of this machine who lives as long as a test. */
export interface SystemUser extends AsyncDisposable {
  readonly name: string;
  /** Replaces his sudoers drop-in: lines that visudo must find right, in which USER stands for the name. */
  allow(sudoers: readonly string[]): Promise<void>;
}

/** Why no such user can be made here; undefined when one can. */
export function whyNoSystemUser(needs: readonly string[] = []): string | undefined {
  if (userInfo().uid !== 0) return "making users needs root";
  const missing = needs.filter((program) => !existsSync(program));
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

/** Makes a user without root's rights, and with those that `sudoers` gives: see `SystemUser.allow`. */
export async function makeSystemUser(
  options: { shell?: string; password?: string; sudoers?: readonly string[] } = {},
): Promise<SystemUser> {
  const name = `prov${process.pid % 100_000}x${Math.random().toString(36).slice(2, 8)}`;
  const dropIn = `/etc/sudoers.d/${name}`;
  await exec("useradd", ["--create-home", "--shell", options.shell ?? "/bin/sh", name]);
  const user: SystemUser = {
    name,
    async allow(sudoers) {
      const lines = sudoers.map((line) => `${line.replaceAll("USER", name)}\n`).join("");
      // Sudo reads no file with a dot in its name: not before visudo has found it right.
      await writeFile(`${dropIn}.check`, lines, { mode: 0o440 });
      await exec("visudo", ["-c", "-f", `${dropIn}.check`]);
      await rename(`${dropIn}.check`, dropIn);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([dropIn, `${dropIn}.check`].map((file) => rm(file, { force: true })));
      await exec("pkill", ["-KILL", "-U", name]).catch(() => {});
      // A login that is just ending still counts as one: --force; it fails for want of a mail spool.
      await exec("userdel", ["--force", "--remove", name]).catch((error: unknown) => {
        if (existsSync(`/home/${name}`)) throw error;
      });
    },
  };
  try {
    // `*` is no password but no lock either: sshd without PAM refuses locked users even with a key.
    const { password } = options;
    await chpasswd(`${name}:${password ?? "*"}`, password === undefined);
    if (options.sudoers) await user.allow(options.sudoers);
  } catch (error) {
    await user[Symbol.asyncDispose]();
    throw error;
  }
  return user;
}

function chpasswd(line: string, encrypted: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile("/usr/sbin/chpasswd", encrypted ? ["-e"] : [], (error) =>
      error ? reject(error) : resolve(),
    );
    child.stdin?.end(`${line}\n`);
  });
}
