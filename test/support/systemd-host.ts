import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

import { endsWithTest } from "./ends-with-test.ts";
import { freePort } from "./free-port.ts";
import type { OwnNetwork } from "./own-network.ts";
import { makeKey, publicKeyOf } from "./ssh-server.ts";

/** A throw-away machine with a real systemd and a real sshd, at native speed. Root logs in. */
export interface SystemdHost extends AsyncDisposable {
  /** Of its sshd, at its address. */
  readonly port: number;
  /** Private key of root. */
  readonly identity: string;
  readonly knownHosts: string;
  /** Its file system, as this machine sees it while the host lives. */
  readonly root: string;
  /** `root@ADDRESS:port` with identity and known hosts, as `provision apply` takes them. */
  readonly login: readonly string[];
  /** Runs a script in it and gives what it printed; throws when it fails. */
  sh(script: string): Promise<string>;
}

/** Why there can be none here; undefined when there can. */
export function whyNoSystemdHost(): string | undefined {
  if (userInfo().uid !== 0) return "namespaces and overlays need root";
  const missing = ["/usr/bin/mmdebstrap", "/usr/bin/unshare", "/usr/bin/nsenter"].filter(
    (path) => !existsSync(path),
  );
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

/**
 * Starts one over a root directory, which stays as it is: what is written goes to memory, `sizeGiB` of it at most,
 * and is gone with the host. Kernel settings are copies. The network is this machine's own, unless one is given; then
 * sshd listens at all of its addresses.
 */
export async function startSystemdHost(
  root: string,
  { sizeGiB = 4, network }: { readonly sizeGiB?: number; readonly network?: OwnNetwork } = {},
): Promise<SystemdHost> {
  const dir = await mkdtemp(join(tmpdir(), "provision-host-"));
  const port = await freePort();
  const address = network?.address ?? "127.0.0.1";
  const files = join(dir, "files");
  await layOut(files, dir, { address, listens: network ? "0.0.0.0" : address, port });
  const script = join(import.meta.dirname, "systemd-host.sh");
  // Whatever becomes of the test, its machines do not outlive it.
  const [file = "", ...argv] = endsWithTest([
    ...(network ? ["nsenter", `--net=/run/netns/${network.name}`] : []),
    "unshare",
    "--mount",
    "sh",
    script,
    "outer",
    root,
    files,
    `${sizeGiB}g`,
  ]);
  const jail = spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<"ended">((resolve) => jail.once("close", () => resolve("ended")));
  const dispose = async () => {
    jail.kill("SIGTERM");
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const pid = await firstProcess(jail, ended);
    const sh = async (text: string): Promise<string> =>
      (await execa("nsenter", ["--target", String(pid), "--all", "--", "sh", "-c", text])).stdout;
    await started(sh);
    const identity = join(dir, "login");
    const knownHosts = join(dir, "known_hosts");
    return {
      port,
      identity,
      knownHosts,
      root: `/proc/${pid}/root`,
      login: ["--target", `root@${address}:${port}`, "--identity", identity, "--known-hosts", knownHosts],
      sh,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What every such machine has beside its root: who it is, who may log in, and what cannot run in it. */
async function layOut(
  files: string,
  dir: string,
  { address, listens, port }: { readonly address: string; readonly listens: string; readonly port: number },
): Promise<void> {
  await Promise.all(["host", "login"].map((name) => makeKey(join(dir, name), "ed25519")));
  const texts: Readonly<Record<string, string>> = {
    "etc/hostname": "provision-host\n",
    "etc/hosts": "127.0.0.1 localhost provision-host\n::1 localhost\n",
    "etc/machine-id": "",
    "etc/ssh/sshd_config.d/00-host.conf": [
      `Port ${port}`,
      `ListenAddress ${listens}`,
      "HostKey /etc/ssh/ssh_host_ed25519_key",
      "PermitRootLogin prohibit-password",
      "MaxStartups 100",
      "",
    ].join("\n"),
    "root/.ssh/authorized_keys": `${await publicKeyOf(join(dir, "login"))}\n`,
    ...Object.fromEntries(
      conditional.map((unit) => [`etc/systemd/system/${unit}.d/host.conf`, anywhere(unit)]),
    ),
  };
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(files, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(files, path), text);
  }
  const key = join(files, "etc/ssh/ssh_host_ed25519_key");
  await copyFile(join(dir, "host"), key);
  await chmod(key, 0o600);
  await writeFile(join(dir, "known_hosts"), `[${address}]:${port} ${await publicKeyOf(join(dir, "host"))}\n`);
}

/** Units of our specs that think themselves unfit for containers; they do run here. */
const conditional = ["fstrim.timer", "systemd-timesyncd.service"];

function anywhere(unit: string): string {
  const unconditional = "[Unit]\nConditionVirtualization=\nConditionCapability=\n";
  // It may not set the clock, which is this machine's, and does not need to.
  return unit === "systemd-timesyncd.service"
    ? `${unconditional}[Service]\nAmbientCapabilities=\n`
    : unconditional;
}

/** The host's process 1, as this machine numbers it. */
async function firstProcess(jail: ReturnType<typeof spawn>, ended: Promise<"ended">): Promise<number> {
  let said = "";
  const told = new Promise<number>((resolve) => {
    for (const stream of [jail.stdout, jail.stderr])
      stream?.on("data", (bytes: Buffer) => {
        said += bytes.toString();
        const [, pid] = /^init (\d+)$/m.exec(said) ?? [];
        if (pid !== undefined) resolve(Number(pid));
      });
  });
  const first = await Promise.race([told, ended]);
  if (first === "ended") throw new Error(`Cannot start a host with systemd; it said: ${said}`);
  return first;
}

const BOOT_DEADLINE_MS = 120_000;

/** Waits until systemd has started everything. */
async function started(sh: (script: string) => Promise<string>): Promise<void> {
  const deadline = performance.now() + BOOT_DEADLINE_MS;
  for (;;) {
    // Before it listens on its socket, systemctl only fails.
    const state = await sh(
      "systemctl is-system-running --wait || systemctl --failed --no-legend --plain",
    ).catch(() => "");
    if (state === "running") return;
    if (state.startsWith("degraded")) throw new Error(`A host with systemd does not come up whole: ${state}`);
    if (performance.now() > deadline) throw new Error(`A host with systemd does not come up: ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
