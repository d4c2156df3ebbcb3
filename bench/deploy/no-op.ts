import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { stringify } from "yaml";

import { chooseDeployable } from "../../src/provisioner/cli/hosts/choose-deployable.ts";
import { usualWidth } from "../../src/provisioner/cli/hosts/width.ts";
import { FILE as netplanFile } from "../../src/tasks/network/files.ts";
import { netplanText } from "../../src/tasks/network/netplan-text.ts";
import { time } from "../contenders.ts";
import { plainSsh } from "../peers/contender.ts";
import { eachMachine } from "../peers/each-machine.ts";
import { type Fleet, type Member, startFleet } from "../peers/fleet.ts";
import { takeTurns, type Turns } from "../peers/take-turns.ts";
import { quietShell } from "../quiet-shell.ts";
import type { Place } from "./no-op-process.ts";

/** One deploy of hosts that are as wanted, or one look whether they answer. */
export interface NoOpSample {
  readonly ms: number;
  readonly cpuMs: number;
  /** Of the deploying process. */
  readonly maxRssMiB?: number;
}

/** What is measured of deploys with nothing to do. */
export interface NoOpOptions {
  readonly root: string;
  readonly lower: string;
  readonly scratch: string;
  readonly counts: readonly number[];
  readonly rounds: number;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** How many hosts, worked on by whom, how many at one time. */
export interface NoOpRow {
  readonly hosts: number;
  readonly who: "ssh host true" | "deploy";
  readonly atOnce: number;
  readonly turns: Turns<NoOpSample>;
}

const user = "admin";
/** Files of each host, beside its identity. */
const fileCount = 20;

/** Deploys hosts that are as wanted, beside ssh to as many that does nothing. */
export async function benchNoOp(options: NoOpOptions): Promise<readonly NoOpRow[]> {
  const { lower, scratch, counts, rounds, limitMs, signal, say } = options;
  const most = Math.max(...counts);
  say(`${most} machines`);
  await using fleet = await startFleet(lower, most);
  const project = join(scratch, "project");
  await writeProject(fleet, project);
  say("first deploys of all of them");
  await deploy(options, { hosts: most, atOnce: usualWidth, isNoOp: false });
  const plans = counts.flatMap((hosts) =>
    [...new Set([Math.min(usualWidth, hosts), hosts])].flatMap((atOnce) => [
      { hosts, atOnce, who: "ssh host true" as const },
      { hosts, atOnce, who: "deploy" as const },
    ]),
  );
  const nameOf = ({ hosts, atOnce, who }: (typeof plans)[number]) => `${who} ${hosts} ${atOnce}`;
  const runs = plans.map((plan) => {
    const run = async (): Promise<NoOpSample> => {
      const sample =
        plan.who === "deploy"
          ? await deploy(options, { ...plan, isNoOp: true })
          : await knock(fleet.members.slice(0, plan.hosts), plan.atOnce, options);
      say(`  ${nameOf(plan)}: ${Math.round(sample.ms)} ms`);
      return sample;
    };
    return [nameOf(plan), run] as const;
  });
  const turns = await takeTurns(new Map(runs), {
    rounds,
    budgetMs: limitMs,
    left: () => (signal.aborted ? 0 : limitMs),
    now: () => performance.now(),
  });
  return plans.map((plan) => ({ ...plan, turns: turns.get(nameOf(plan)) ?? { samples: [], ended: "" } }));
}

async function writeProject({ members }: Fleet, project: string): Promise<void> {
  for (const folder of ["hosts", "specs"]) await mkdir(join(project, folder), { recursive: true });
  await writeFile(join(project, "specs", "base.yaml"), "base: debian-13\n");
  const places: Record<string, Place> = {};
  for (const { name, machine, port, identity, knownHosts } of members) {
    const key = (await readFile(knownHosts, "utf8")).trim().split(" ").slice(1).join(" ");
    places[name] = { port, identity, hostKey: key };
    const tasks = Array.from({ length: fileCount }, (_, at) => ({
      file: { path: `/etc/bench-${at}.conf`, content: `setting ${at} of ${name}\n` },
    }));
    const users = [{ name: user, keys: [{ file: `${identity}.pub` }], sudo: true }];
    await writeFile(join(project, "hosts", `${name}.yaml`), stringify({ image: "base", users, tasks }));
    await machine.sh(
      [
        `useradd --create-home --shell /bin/bash ${user}`,
        `install -d -m 700 -o ${user} -g ${user} /home/${user}/.ssh`,
        `install -m 600 -o ${user} -g ${user} /root/.ssh/authorized_keys /home/${user}/.ssh/`,
        `echo '${user} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/00-bench`,
      ].join(" && "),
    );
  }
  await writeFile(join(project, "places.json"), JSON.stringify(places));
  await writeNetworks({ members }, project);
}

/** As cloud-init has written them at the first boot of a host; these machines have no cards for netplan to set up. */
async function writeNetworks({ members }: Pick<Fleet, "members">, project: string): Promise<void> {
  const names = members.map(({ name }) => name);
  const hosts = await chooseDeployable(names, {}, quietShell({ ...process.env, PROVISION_HOME: project }));
  for (const { loaded } of hosts) {
    const { name, networks } = loaded.spec;
    const machine = members.find((member) => member.name === name)?.machine;
    if (machine === undefined) throw new Error(`${name} has no machine`);
    const path = join(machine.root, netplanFile);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, netplanText(networks), { mode: 0o600 });
  }
}

async function deploy(
  { root, scratch, limitMs, signal }: NoOpOptions,
  job: { readonly hosts: number; readonly atOnce: number; readonly isNoOp: boolean },
): Promise<NoOpSample> {
  const project = join(scratch, "project");
  const names = Array.from({ length: job.hosts }, (_, at) => `host-${at}`);
  const script = join(root, "dist/bench/bench/deploy/no-op-process.js");
  const words = [script, join(project, "places.json"), String(job.atOnce), ...names];
  const env = {
    ...process.env,
    PROVISION_HOME: project,
    XDG_STATE_HOME: join(scratch, "state"),
    SSH_AUTH_SOCK: "",
  };
  const { ms, cpuMs, stdout } = await time([process.execPath, ...words], { env, limitMs, signal });
  const { hosts, flights, changed, maxRssKiB } = JSON.parse(stdout) as Record<string, number>;
  const isRight = changed === 0 ? flights === job.hosts : !job.isNoOp;
  if (hosts !== job.hosts || !isRight) throw new Error(`Not a no-op of one flight a host: ${stdout}`);
  return { ms, cpuMs, maxRssMiB: (maxRssKiB ?? Number.NaN) / 1024 };
}

async function knock(
  members: readonly Member[],
  atOnce: number,
  { scratch, limitMs, signal }: NoOpOptions,
): Promise<NoOpSample> {
  const options = Object.entries({ ...plainSsh, ControlPath: "none" }).map(
    ([name, value]) => `-o ${name}=${value}`,
  );
  const folder = join(scratch, "knock");
  await mkdir(folder, { recursive: true });
  const script = ({ port, identity, knownHosts }: Member) =>
    `ssh -F none ${options.join(" ")} -o UserKnownHostsFile=${knownHosts} -i ${identity} -p ${port} ${user}@127.0.0.1 true`;
  const { argv } = await eachMachine(members, folder, script, atOnce);
  const { ms, cpuMs } = await time(argv, { limitMs, signal });
  return { ms, cpuMs };
}
