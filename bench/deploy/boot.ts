import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { type DeployProject, openDeployProject } from "../../test/support/deploy-project.ts";
import { takeTurns, type Turns } from "../peers/take-turns.ts";
import { probe } from "./probe.ts";

/** One way to a host that answers. */
export interface BootSample {
  /** Until its ssh ran a command for the host's user. */
  readonly sshMs: number;
  /** Until the command was through; of a deploy alone. */
  readonly wholeMs?: number;
}

/** How deploys are set beside boots. */
export interface BootOptions {
  readonly root: string;
  /** A qcow2 file. */
  readonly image: string;
  readonly memoryMiB: number;
  readonly rounds: number;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly record: (entry: object) => void;
}

const name = "provision-bench";
const virsh = (...args: readonly string[]) => execa("virsh", ["-q", "-c", "qemu:///system", ...args]);

/** What the boot by hand needs of a deploy: the same definition, the same seed, the same image. */
interface Original {
  readonly xml: string;
  readonly seed: string;
  readonly accelerator: string;
}

/** What was measured of new hosts. */
export interface BootResults {
  /** What runs the guests: kvm, or qemu for its emulation. */
  readonly accelerator: string;
  readonly turns: ReadonlyMap<string, Turns<BootSample>>;
}

/** Deploys a host from an image that the pool has, and boots the very same disk by virsh, in turn. */
export async function benchBoot(options: BootOptions): Promise<BootResults> {
  const { image, memoryMiB, rounds, limitMs, signal, say, record } = options;
  await using project = await openDeployProject({ defaults: { image, memoryMiB } });
  const { address, gateway } = await placeOn("default");
  const dns = { servers: [gateway] };
  const card = { network: "default", addresses: [`${address}/24`], gateways: [gateway], dns };
  await project.writeHost(name, { networks: [card] });
  const site = { ...options, project, address };
  say("bringing the image to the pool");
  const original = await prepare(site);
  const recorded = (who: string, run: (limit: number) => Promise<BootSample>) => async (round: number) => {
    const sample = await run(limitMs);
    record({ who, round, ...sample });
    say(`  ${who}: ${Math.round(sample.sshMs)} ms`);
    return sample;
  };
  const runs = new Map([
    ["deploy", recorded("deploy", (limit) => byDeploy(site, limit))],
    ["virsh start", recorded("virsh start", (limit) => byVirsh(site, original, limit))],
  ]);
  const turns = await takeTurns(runs, {
    rounds,
    budgetMs: Infinity,
    left: () => (signal.aborted ? 0 : limitMs),
    now: () => performance.now(),
  });
  return { accelerator: original.accelerator, turns };
}

type Site = BootOptions & { readonly project: DeployProject; readonly address: string };

/** An address of libvirt's network that its own leases do not reach this run. */
async function placeOn(network: string): Promise<{ readonly address: string; readonly gateway: string }> {
  const { stdout } = await virsh("net-dumpxml", network);
  const gateway = /<ip address=['"]([\d.]+)['"]/.exec(stdout)?.[1];
  if (gateway === undefined) throw new Error(`libvirt's network "${network}" has no IPv4 address`);
  return { gateway, address: gateway.replace(/\d+$/, String(180 + (process.pid % 20))) };
}

/** Begins a deploy and stops it as its guest starts: the image stays, and so do copies of what it was to start with. */
async function prepare(site: Site): Promise<Original> {
  const { project, limitMs } = site;
  const folder = join(project.folder, "pool");
  const [xml, seed] = [join(project.folder, "domain.xml"), join(project.folder, "seed.img")];
  let accelerator = "";
  let copied: Promise<void> | undefined;
  await deploy(site, limitMs, (title, pid) => {
    if (title !== "Wait for SSH") return;
    copied = (async () => {
      await copyFile(join(folder, `${name}-seed.img`), seed);
      const { stdout } = await virsh("dumpxml", "--inactive", name);
      await writeFile(xml, stdout);
      accelerator = /<domain type=['"](\w+)['"]/.exec(stdout)?.[1] ?? "unknown";
      process.kill(pid, "SIGINT");
    })();
  }).catch(async (error: unknown) => {
    if (copied === undefined) throw error;
    await copied;
  });
  return { xml, seed, accelerator };
}

async function byDeploy(site: Site, limitMs: number): Promise<BootSample> {
  const started = performance.now();
  const stop = new AbortController();
  const answered = probe({ ...site.project, address: site.address, limitMs, signal: stop.signal });
  try {
    await deploy(site, limitMs);
    const wholeMs = performance.now() - started;
    return { sshMs: (await answered) - started, wholeMs };
  } finally {
    stop.abort();
    await answered.catch(() => {});
    await provision(site, ["destroy", name, "--purge", "--yes"], 120_000);
  }
}

async function byVirsh(
  { project, address }: Site,
  { xml, seed }: Original,
  limitMs: number,
): Promise<BootSample> {
  const folder = join(project.folder, "pool");
  const images = (await readdir(folder)).filter((file) => /^provision-image-.*\.qcow2$/.test(file));
  const [image = ""] = images;
  const disk = join(folder, `${name}.qcow2`);
  await execa("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", join(folder, image), disk]);
  await copyFile(seed, join(folder, `${name}-seed.img`));
  await virsh("define", xml);
  try {
    const started = performance.now();
    const answered = probe({ ...project, address, limitMs });
    await virsh("start", "--reset-nvram", name);
    return { sshMs: (await answered) - started };
  } finally {
    await virsh("destroy", name).catch(() => {});
    await virsh("undefine", "--nvram", name);
    for (const file of await readdir(folder))
      if (file.startsWith(`${name}.`) || file.startsWith(`${name}-`)) await rm(join(folder, file));
    await virsh("pool-refresh", project.pool);
  }
}

function deploy(
  site: Site,
  limitMs: number,
  opened: (title: string, pid: number) => void = () => {},
): Promise<void> {
  return provision(site, ["deploy", name, "--identity", site.project.keyFile], limitMs, opened);
}

/** Runs provision; `opened` is told the title of each step that it begins. */
async function provision(
  { root, project, signal }: Site,
  args: readonly string[],
  limitMs: number,
  opened: (title: string, pid: number) => void = () => {},
): Promise<void> {
  const argv = [join(root, "dist/provisioner/main.js"), "--json", ...args];
  const env = { ...process.env, ...project.env };
  // Its own way of stopping tidies up.
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "pipe"] });
  const stop = () => child.kill("SIGINT");
  const timer = setTimeout(stop, limitMs);
  signal.addEventListener("abort", stop);
  let said = "";
  let seen = 0;
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  child.stdout.on("data", (bytes: Buffer) => {
    said += bytes.toString();
    const lines = said.slice(seen).split("\n").slice(0, -1);
    for (const line of lines) {
      seen += line.length + 1;
      const title = /"kind":"step-started".*"title":"([^"]*)"/.exec(line)?.[1];
      if (title !== undefined && child.pid !== undefined) opened(title, child.pid);
    }
  });
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  if (code !== 0) throw new Error(`provision ${args.join(" ")} ended with ${code}:\n${said.slice(-1500)}`);
}
