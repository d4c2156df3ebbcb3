import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { execa } from "execa";

/** A throw-away machine, as far as SSH can tell. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  /** Its sshd, as this machine numbers it. */
  readonly pid: number;
  readonly identity: string;
  readonly knownHosts: string;
}

/**
 * sshd in namespaces of its own. The root is an overlay in memory over the cached one; mounts, processes and
 * host name are private, and the kernel's settings can be read but not written: nothing of this machine
 * changes, and nothing is left when the namespace ends.
 */
const start = `
set -e
hostname bench
mount -t tmpfs -o mode=755,size=2g bench /mnt
mkdir /mnt/upper /mnt/work /mnt/root
root=/mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" bench "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=755 dev "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/zero" c 1 5
mknod -m 666 "$root/dev/full" c 1 7
mknod -m 666 "$root/dev/random" c 1 8
mknod -m 666 "$root/dev/urandom" c 1 9
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/run/sshd" "$root/run/bench"
cp "$2/host" "$2/login.pub" "$2/config" "$root/run/bench/"
exec chroot "$root" /usr/sbin/sshd -D -e -f /run/bench/config
`;

/** Starts one on a loopback port; disposing ends everything in it. */
export async function startTarget(root: string, scratch: string): Promise<Target> {
  await mkdir(scratch, { recursive: true });
  const dir = await mkdtemp(join(scratch, "target-"));
  for (const name of ["host", "login"])
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", join(dir, name)]);
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    "HostKey /run/bench/host",
    "AuthorizedKeysFile /run/bench/login.pub",
    "AuthenticationMethods publickey",
    "UsePAM no",
    "PerSourcePenalties no",
    "MaxStartups 100",
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
  await writeFile(join(dir, "config"), config);
  const hostKey = (await readFile(join(dir, "host.pub"), "utf8")).trim();
  await writeFile(join(dir, "known_hosts"), `[127.0.0.1]:${port} ${hostKey}\n`);
  const unshare = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"];
  // Whatever becomes of the benchmark, its targets do not outlive it.
  const jail = spawn("setpriv", ["--pdeathsig", "KILL", ...unshare, "sh", "-c", start, "target", root, dir], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => jail.once("close", () => resolve()));
  const dispose = async () => {
    jail.kill("SIGKILL");
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await listening(jail.stderr, ended);
    const pid = await onlyChild(jail.pid ?? 0);
    return {
      port,
      pid,
      identity: join(dir, "login"),
      knownHosts: join(dir, "known_hosts"),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** sshd says so once it listens; what it says later is drained and dropped. */
async function listening(stderr: NodeJS.ReadableStream, ended: Promise<void>): Promise<void> {
  let said = "";
  const ready = new Promise<"ready">((resolve) => {
    stderr.on("data", (bytes: Buffer) => {
      if (said.length < 10_000) said += bytes.toString();
      if (said.includes("Server listening on")) resolve("ready");
    });
  });
  if ((await Promise.race([ready, ended])) !== "ready")
    throw new Error(
      `Cannot start a target: it must be root's to make namespaces and overlays; it said: ${said}`,
    );
}

async function onlyChild(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ")[0]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
