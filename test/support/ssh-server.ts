import { execFile, spawn } from "node:child_process";
import { createConnection } from "node:net";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { ownTarget, type SshTarget } from "../../src/provisioner/host/ssh-target.ts";
import { freePort } from "./free-port.ts";

const exec = promisify(execFile);

/** What a test wants of its SSH server. */
export interface SshServerOptions {
  /** Whom it lets in with the test's key; the user who runs the tests when left out. */
  readonly user?: string;
  /** `false` for a server without the SFTP subsystem. */
  readonly sftp?: boolean;
  /** Types of its host keys; ed25519 alone when left out. */
  readonly hostKeyTypes?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Variables of logins, as NAME=value. */
  readonly env?: readonly string[];
  /** More lines of sshd_config. */
  readonly config?: readonly string[];
}

/** A real OpenSSH sshd on a loopback port, with keys, config and log of its own in a temporary folder. */
export interface SshServer extends AsyncDisposable {
  readonly port: number;
  readonly user: string;
  readonly dir: string;
  /** HOME of logins: empty, so that nobody's .bashrc slows or colours a test; write one to have one. */
  readonly home: string;
  /** `ssh-ed25519 AAAA…`: its first host key. */
  readonly hostKey: string;
  /** Lines for known_hosts: all its host keys, under `[127.0.0.1]:port`. */
  readonly knownHosts: string;
  /** Private key that may log in: text and path (with a .pub beside it). */
  readonly key: string;
  readonly keyFile: string;
  /** Flags of provision for a machine to be logged in to. */
  readonly login: readonly string[];
  /** A target with host key and login pinned; `port` may be a proxy's. */
  target(overrides?: Partial<SshTarget>): SshTarget;
  /** What sshd logged so far. */
  log(): Promise<string>;
  /** Ends the processes that serve logins, as a crash would; the server goes on. */
  killSessions(): Promise<void>;
}

/** Starts one; dispose it, which also ends its logins. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const dir = await mkdtemp(join(tmpdir(), "provision-sshd-"));
  // A user who is not root reads his authorized_keys as himself.
  await chmod(dir, 0o755);
  // sshd as root wants this folder and does not make it.
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const home = join(dir, "home");
  await mkdir(home, { mode: 0o755 });
  const user = options.user ?? userInfo().username;
  const types = options.hostKeyTypes ?? ["ed25519"];
  const hostKeyFiles = types.map((type) => join(dir, `host_${type}`));
  await Promise.all(types.map((type) => makeKey(join(dir, `host_${type}`), type)));
  const keyFile = join(dir, "login");
  await makeKey(keyFile, "ed25519");
  await writeFile(join(dir, "authorized_keys"), await readFile(`${keyFile}.pub`));
  await chmod(join(dir, "authorized_keys"), 0o644);
  const { port, stop, killSessions } = await startOnFreePort(dir, hostKeyFiles, options);
  const hostKeys = await Promise.all(hostKeyFiles.map((file) => publicKeyOf(file)));
  const key = await readFile(keyFile, "utf8");
  const hostKey = hostKeys[0] ?? "";
  const knownHosts = hostKeys.map((line) => `[127.0.0.1]:${port} ${line}\n`).join("");
  await writeFile(join(dir, "known_hosts"), knownHosts);
  const target = ["--target", `${user}@127.0.0.1:${port}`];
  return {
    port,
    user,
    dir,
    home,
    hostKey,
    knownHosts,
    key,
    keyFile,
    login: [...target, "--identity", keyFile, "--known-hosts", join(dir, "known_hosts")],
    target: (overrides = {}) => ({
      ...ownTarget({ host: "127.0.0.1", port, user, hostKey, privateKey: key }),
      ...overrides,
    }),
    log: () => readFile(join(dir, "log"), "utf8"),
    killSessions,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Makes a key pair without a passphrase, or with one. */
export async function makeKey(file: string, type: string, passphrase = ""): Promise<void> {
  const bits = type === "rsa" ? ["-b", "2048"] : [];
  await exec("ssh-keygen", ["-q", "-t", type, ...bits, "-N", passphrase, "-C", "test", "-f", file]);
}

/** `type base64` of a key pair's public half. */
export async function publicKeyOf(file: string): Promise<string> {
  return (await readFile(`${file}.pub`, "utf8")).trim().split(" ").slice(0, 2).join(" ");
}

/** Each server is a machine of its own to those who log in: a run on one does not lock another. For root alone. */
const ownRunLock = [
  "unshare",
  "--mount",
  "sh",
  "-c",
  'mkdir -p /run/provision && mount -t tmpfs -o mode=0711 provision /run/provision && exec "$@"',
  "sh",
] as const;

async function startOnFreePort(
  dir: string,
  hostKeyFiles: readonly string[],
  options: SshServerOptions,
): Promise<{ port: number; stop: () => Promise<void>; killSessions: () => Promise<void> }> {
  // Between finding a free port and sshd taking it somebody else may have it: then another one is found.
  for (let left = 5; ; left--) {
    const port = await freePort();
    await writeFile(join(dir, "config"), await configText(dir, port, hostKeyFiles, options));
    const command = ["/usr/sbin/sshd", "-D", "-f", join(dir, "config"), "-E", join(dir, "log")] as const;
    const [program, ...args] = userInfo().uid === 0 ? [...ownRunLock, ...command] : command;
    const sshd = spawn(program, args, { stdio: "ignore" });
    const ended = new Promise<void>((resolve) => sshd.once("close", () => resolve()));
    const killSessions = async () => {
      // sshd's children are the logins; exit code 1 only says that there are none.
      await exec("pkill", ["-KILL", "-P", String(sshd.pid)]).catch(() => {});
    };
    const stop = async () => {
      await killSessions();
      sshd.kill("SIGKILL");
      await ended;
    };
    if (await answers(port, ended)) return { port, stop, killSessions };
    await stop();
    if (left === 0) throw new Error(`sshd does not start:\n${await readFile(join(dir, "log"), "utf8")}`);
  }
}

async function configText(
  dir: string,
  port: number,
  hostKeyFiles: readonly string[],
  options: SshServerOptions,
): Promise<string> {
  const { stderr } = await exec("ssh", ["-V"]);
  const [, major = 0, minor = 0] = /OpenSSH_(\d+)\.(\d+)/.exec(stderr) ?? [];
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...hostKeyFiles.map((file) => `HostKey ${file}`),
    `PidFile ${join(dir, "pid")}`,
    `AuthorizedKeysFile ${join(dir, "authorized_keys")}`,
    "AuthenticationMethods publickey",
    "PermitRootLogin prohibit-password",
    "UsePAM no",
    // The temporary folder lies in /tmp, which everybody may write.
    "StrictModes no",
    ["SetEnv", `HOME=${join(dir, "home")}`, ...(options.env ?? [])].join(" "),
    "LogLevel VERBOSE",
    "MaxStartups 100",
    // Since 9.8 an address that fails to log in is shut out for a while; tests fail on purpose.
    ...(Number(major) * 100 + Number(minor) >= 908 ? ["PerSourcePenalties no"] : []),
    ...(options.sftp === false ? [] : ["Subsystem sftp internal-sftp"]),
    ...(options.config ?? []),
    "",
  ].join("\n");
}

/** True once something listens; false when sshd ended before that. */
async function answers(port: number, ended: Promise<void>): Promise<boolean> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return true;
    const pause = new Promise<"again">((resolve) => setTimeout(() => resolve("again"), 10));
    if ((await Promise.race([ended, pause])) !== "again") return false;
  }
}
