import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { stringify } from "yaml";

import { eventsOf, launch, type LaunchedRun } from "./launcher.ts";

const shipped = join(import.meta.dirname, "../..");
const virsh = (...args: readonly string[]) => execa("virsh", ["-q", "-c", "qemu:///system", ...args]);

/** Hosts to be deployed on this machine's libvirt, in a pool and by a home of the test's own. */
export interface DeployProject extends AsyncDisposable {
  /** Below it are hosts/, the pool and the home. */
  readonly folder: string;
  readonly pool: string;
  readonly home: string;
  /** For the launcher: where all of this is. */
  readonly env: Record<string, string>;
  /** The private key that hosts let in. */
  readonly keyFile: string;
  writeHost(name: string, host: object): Promise<void>;
  run(...args: readonly string[]): Promise<LaunchedRun>;
  /** Runs a command on a host, by `provision ssh`. */
  ssh(host: string, script: string): Promise<{ exitCode: number | undefined; all: string }>;
  /** Names of the volumes in the pool that are no images. */
  volumes(): Promise<readonly string[]>;
  /** Names of the domains of `writeHost`ed hosts that are there. */
  domains(): Promise<readonly string[]>;
}

/** Opens one; `defaults` are what all hosts share beside pool and user, `env` is added to the launcher's. */
export async function openDeployProject(options: {
  readonly defaults: object;
  readonly env?: Record<string, string>;
  /** A project that is there, with specs and pins; a folder of its own when left out. */
  readonly root?: string;
}): Promise<DeployProject> {
  const folder = await mkdtemp(join(tmpdir(), "provision-deploy-"));
  await chmod(folder, 0o711);
  const { root = folder } = options;
  const [home, poolFolder, hosts] = [join(folder, "home"), join(folder, "pool"), join(root, "hosts")];
  for (const each of [join(home, ".ssh"), poolFolder, hosts]) await mkdir(each, { recursive: true });
  await chmod(poolFolder, 0o711);
  const keyFile = join(home, ".ssh", "id_ed25519");
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", keyFile]);
  const pool = `provision-test-${process.pid}`;
  await virsh("pool-define-as", pool, "dir", "--target", poolFolder);
  await virsh("pool-start", pool);
  const user = { name: "admin", keys: [{ file: `${keyFile}.pub` }], sudo: true };
  const defaults = {
    pool,
    users: [user],
    cpus: Number(process.env["PROVISION_CPUS"] ?? 2),
    ...options.defaults,
  };
  await writeFile(join(hosts, "defaults.yaml"), stringify(defaults));
  const env = { ...options.env, PROVISION_HOME: root, HOME: home, SSH_AUTH_SOCK: "" };
  const names = new Set<string>();
  const project: DeployProject = {
    folder,
    pool,
    home,
    env,
    keyFile,
    async writeHost(name, host) {
      names.add(name);
      await writeFile(join(hosts, `${name}.yaml`), stringify(host));
    },
    run: (...args) => launch(args, { env }),
    async ssh(host, script) {
      const words = ["ssh", host, "--identity", keyFile, "--", script];
      const { exitCode, all } = await execa(join(shipped, "provision"), words, {
        env,
        all: true,
        reject: false,
        stdin: "ignore",
      });
      return { exitCode, all };
    },
    async volumes() {
      await virsh("pool-refresh", pool);
      const { stdout } = await virsh("vol-list", pool);
      const all = stdout.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
      return all.filter((name) => name !== "" && !name.startsWith("provision-image-")).toSorted();
    },
    async domains() {
      const { stdout } = await virsh("list", "--all", "--name");
      return stdout.split("\n").filter((name) => names.has(name));
    },
    async [Symbol.asyncDispose]() {
      for (const name of await project.domains()) {
        await virsh("destroy", name).catch(() => {});
        await virsh("undefine", "--nvram", name).catch(() => {});
      }
      await virsh("pool-destroy", pool).catch(() => {});
      await virsh("pool-undefine", pool).catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
  return project;
}

/** How a run ended: its number and what it complained of. */
export function endingOf(done: LaunchedRun): readonly [number | undefined, readonly string[]] {
  return [done.exitCode, eventsOf(done, "error").map(({ code, message }) => `${code}: ${message}`)];
}
