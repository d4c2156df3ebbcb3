import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { describe, type ExpectStatic, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { netplanFile, startNetplanHost } from "../support/netplan-host.ts";
import { networkedRoot } from "../support/networked-root.ts";
import { layNetwork } from "../support/own-network.ts";
import { startSystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

// Guarded changes that take the way to the host away. A guard takes three minutes to take something back: all of them
// wait at once, each on a host of its own, with an `expect` of its own, as the common one knows of one test at a time.

const why = whyNoSystemdHost() ?? (existsSync("/dev/net/tun") ? undefined : "no /dev/net/tun");
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const net = `10.213.${process.pid % 200}`;

/** A tunnel on a host of its own, which is reached by a way of its own. */
interface Tunnel extends AsyncDisposable {
  /** This machine's end of the way. */
  readonly here: string;
  apply(params: object, seen?: Parameters<typeof launch>[1]): Promise<LaunchedRun>;
  routes(): Promise<string>;
  /** What guards the host has, and what became of them. */
  armed(): Promise<string>;
  mustBeAsBefore(): Promise<void>;
}

const publicKey = "yLIyYJw0uvlSMOwFHTlsCrWd1SRU4Ykb1IB9NlWxG3E=";
const allowed = (...allowedIps: readonly string[]) => ({
  interface: "wg0",
  address: [`${net}.1/24`],
  listenPort: 51820,
  peers: [{ publicKey, allowedIps }],
});
const good = allowed(`${net}.2/32`, "10.214.0.0/24");

/** Digs one that leaves the way alone. */
async function digTunnel(expect: ExpectStatic): Promise<Tunnel> {
  const root = await systemdRoot(cacheDir, networkedRoot);
  const network = await layNetwork();
  const host = await startSystemdHost(root, { network });
  const folder = await mkdtemp(join(tmpdir(), "provision-test-"));
  const tunnel: Tunnel = {
    here: network.here,
    async apply(params, seen) {
      const spec = join(folder, "tunnel.yaml");
      await writeFile(spec, stringify({ base: "debian-13", tasks: [{ wireguard: params }] }));
      return launch(["apply", "--spec", spec, ...host.login, "--verbose"], seen);
    },
    routes: () => host.sh("ip route show dev wg0 proto boot | sed 's/ *$//'"),
    armed: () => host.sh("ls -A /run/provision-guard; systemctl list-units --all 'provision-guard*' -q"),
    async mustBeAsBefore() {
      expect(await tunnel.routes()).toBe("10.214.0.0/24 scope link");
      const again = await tunnel.apply(good);
      expect([again.exitCode, eventsOf(again, "error")]).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await host.sh("mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200");
  for (const params of [allowed(`${net}.2/32`), good]) {
    const done = await tunnel.apply(params);
    expect([done.exitCode, eventsOf(done, "error")]).toEqual([0, []]);
  }
  return tunnel;
}

describe
  .skipIf(why !== undefined)
  .concurrent(`a change that may take the way to its host away${why ? ` (skipped: ${why})` : ""}`, () => {
    it("is confirmed, a tunnel's over a new connection, when it leaves the way alone, and leaves nothing armed", async ({
      expect,
    }) => {
      await using tunnel = await digTunnel(expect);

      expect(await tunnel.armed()).toBe("wireguard-wg0.lock");
      await tunnel.mustBeAsBefore();
    });

    it("is taken back by the host itself, a tunnel's that swallows the way, and the run says so", async ({
      expect,
    }) => {
      await using tunnel = await digTunnel(expect);

      const failed = await tunnel.apply(allowed(`${net}.2/32`, `${tunnel.here}/32`));

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code]).toEqual([6, "CHANGE_REVERTED"]);
      expect(error?.message).toMatch(
        /^Cannot settle wireguard wg0: the host must answer on a new connection/,
      );
      expect(error?.where).toMatchObject({ line: 3 });
      expect(await tunnel.armed()).toBe("wireguard-wg0.lock\nwireguard-wg0.taken-back");
      await tunnel.mustBeAsBefore();
    });

    it("is taken back, a tunnel's, when the run is killed before it could confirm it", async ({ expect }) => {
      await using tunnel = await digTunnel(expect);
      let provision: number | undefined;

      const killed = tunnel.apply(allowed(`${net}.2/32`, `${tunnel.here}/32`), {
        seen: (_event, pid) => (provision = pid),
      });
      await expect.poll(() => tunnel.routes(), { timeout: 60_000 }).toContain(tunnel.here);
      if (provision !== undefined) process.kill(-provision, "SIGKILL");
      await killed;

      // The last that it does, once the interface is up again.
      await expect
        .poll(() => tunnel.armed(), { timeout: 240_000, interval: 1000 })
        .toMatch(/^\S+\.lock\n\S+\.taken-back$/);
      await tunnel.mustBeAsBefore();
    });

    it("is taken back, a network's, and the run says so", async ({ expect }) => {
      await using opened = await startNetplanHost(cacheDir);
      const { host, network } = opened;
      const before = await host.sh(`cat ${netplanFile}`);

      const failed = await opened.apply(opened.cards({ own: ["10.219.0.2/24"], lan: ["10.218.0.8/24"] }));

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code, error?.where]).toEqual([
        6,
        "CHANGE_REVERTED",
        expect.objectContaining({ line: 3 }),
      ]);
      expect(await host.sh(`cat ${netplanFile}`)).toBe(before);
      expect([await opened.addresses("lan0"), await opened.addresses("eth0")]).toEqual([
        "10.218.0.1/24",
        `${network.address}/30`,
      ]);
      const again = await opened.apply(opened.cards());
      expect([again.exitCode, eventsOf(again, "error")]).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    });
  });
