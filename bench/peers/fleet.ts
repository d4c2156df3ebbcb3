import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { startCutProxy } from "../../test/support/cut-proxy.ts";
import { startSystemdHost, type SystemdHost } from "../../test/support/systemd-host.ts";

/** One machine of several, and where contenders find it. */
export interface Member {
  readonly name: string;
  readonly machine: SystemdHost;
  /** Of its sshd, or of the proxy that delays what goes there. */
  readonly port: number;
  readonly identity: string;
  readonly knownHosts: string;
}

/** Machines that are alike, all on this one. */
export interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[];
}

/** Starts machines, no more than two at one time: a fleet that boots at once starves itself. */
export async function startFleet(lower: string, count: number): Promise<Fleet> {
  const machines: SystemdHost[] = [];
  const dispose = async () => {
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
  };
  try {
    while (machines.length < count) {
      const pair = Array.from({ length: Math.min(2, count - machines.length) });
      const started = await Promise.allSettled(pair.map(() => startSystemdHost(lower, { sizeGiB: 1 })));
      machines.push(...started.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])));
      for (const each of started) if (each.status === "rejected") throw each.reason;
    }
    await Promise.all(machines.map(prepare));
    return {
      members: machines.map((machine, at) => ({
        name: `host-${at}`,
        machine,
        port: machine.port,
        identity: machine.identity,
        knownHosts: machine.knownHosts,
      })),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The same machines behind proxies that add to every round trip. */
export async function farFleet(fleet: Fleet, rttMs: number, scratch: string): Promise<Fleet> {
  if (rttMs === 0) return { members: fleet.members, async [Symbol.asyncDispose]() {} };
  const far = await Promise.all(
    fleet.members.map(async (member) => {
      const proxy = await startCutProxy({ port: member.port });
      proxy.roundTripMs = rttMs;
      const knownHosts = join(scratch, `known_hosts-${member.name}-${proxy.port}`);
      const known = await readFile(member.knownHosts, "utf8");
      await writeFile(knownHosts, known.replace(`:${member.port} `, `:${proxy.port} `));
      return { proxy, member: { ...member, port: proxy.port, knownHosts } };
    }),
  );
  return {
    members: far.map(({ member }) => member),
    async [Symbol.asyncDispose]() {
      await Promise.all(far.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
    },
  };
}

/** Runs a script of any length in a machine and gives what it printed; throws when it fails. */
export async function runIn(machine: SystemdHost, script: string): Promise<string> {
  // As a file: a command line holds no more than 128 KiB.
  const name = `run/bench-${randomUUID()}`;
  const path = join(machine.root, name);
  await writeFile(path, script);
  try {
    return await machine.sh(`sh /${name}`);
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    throw new Error(`A script failed in a machine: ${stderr.slice(-500)}`, { cause: error });
  } finally {
    await rm(path, { force: true });
  }
}

async function prepare(machine: SystemdHost): Promise<void> {
  const lines = [
    // sshd says then what is done in a connection, so that it can be counted.
    "echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/01-bench.conf",
    "systemctl reload ssh",
    // The lists of packages are as old as those of a machine that has just been installed.
    "touch -d 2000-01-01 /var/lib/apt/lists",
  ];
  await machine.sh(lines.join(" && "));
}
