import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { freePort } from "../support/free-port.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";

const why = whyNoSystemdHost() ?? (existsSync("/dev/net/tun") ? undefined : "no /dev/net/tun");
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });

/** The network is this machine's: names and addresses that nobody else has. */
const name = `wgt${process.pid % 100_000}`;
const far = `far${process.pid % 100_000}`;
const net = `10.213.${process.pid % 200}`;

describe.skipIf(why !== undefined)(
  `a WireGuard tunnel by wireguard-go${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let host: SystemdHost;
    let folder: string;
    let port: number;
    let peer: Record<string, unknown>;
    const secrets: string[] = [];

    beforeAll(async () => {
      host = await startSystemdHost(await systemdRoot(cacheDir));
      folder = await mkdtemp(join(tmpdir(), "provision-test-"));
      port = await freePort();
      await host.sh("mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200");
    });

    afterAll(async () => {
      await host.sh(`ip netns del ${far}; ip link del ${name}; ip link del ${name}v; true`).catch(() => "");
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    async function apply(params: object, ...more: readonly string[]): Promise<LaunchedRun> {
      const packages = ["wireguard-tools", "wireguard-go", "iputils-ping"];
      const tasks = [{ apt: { name: "wireguard", present: packages } }, { wireguard: params }];
      const spec = join(folder, "tunnel.yaml");
      await writeFile(spec, stringify({ base: "debian-13", tasks }));
      const done = await launch(["apply", "--spec", spec, ...host.login, "--verbose", ...more]);
      expect([done.exitCode, eventsOf(done, "error")]).toEqual([0, []]);
      return done;
    }

    const near = (peers: readonly object[]) => ({
      interface: name,
      address: [`${net}.1/24`],
      listenPort: port,
      peers,
    });
    // The far end takes 15 seconds to give up a session that this end has forgotten; only then it makes a new one.
    const ping = () => host.sh(`ip netns exec ${far} ping -c 3 -w 45 -i 0.3 ${net}.1 | grep -c 'bytes from'`);
    const startOfUnit = () =>
      host.sh(`systemctl show --property=ActiveEnterTimestampMonotonic wg-quick@${name}`);

    it("comes up with a key of its own, whose public half the run prints", async () => {
      const done = await apply(near([]));

      const publicKey = await host.sh(`wg show ${name} public-key`);
      secrets.push(await host.sh(`wg show ${name} private-key`));
      expect(eventsOf(done, "output").map(({ line }) => line)).toContain(
        `public key of ${name}: ${publicKey}`,
      );
      expect(await host.sh(`stat -c %a /etc/wireguard/${name}.key /etc/wireguard/${name}.conf`)).toBe(
        "600\n600",
      );
      expect(await host.sh(`systemctl is-enabled wg-quick@${name}`)).toBe("enabled");
    });

    it("takes a peer without a restart, and lets it in by the key they share", async () => {
      const made = await host.sh(`wg genkey | tee /root/far.key; wg genpsk | tee /root/far.psk`);
      const [farKey = "", psk = ""] = made.split("\n");
      secrets.push(farKey, psk);
      await writeFile(join(folder, "far.psk"), `${psk}\n`);
      peer = {
        publicKey: await host.sh("wg pubkey </root/far.key"),
        allowedIps: [`${net}.2/32`, "10.214.0.0/24"],
        presharedKey: { file: "far.psk" },
      };
      const publicKey = await host.sh(`wg show ${name} public-key`);
      await host.sh(`set -e
        ip netns add ${far}
        ip link add ${name}v type veth peer name eth0 netns ${far}
        ip addr add 10.215.0.1/30 dev ${name}v
        ip link set ${name}v up
        ip -n ${far} addr add 10.215.0.2/30 dev eth0
        ip -n ${far} link set eth0 up
        ip netns exec ${far} wireguard-go ${far} >/dev/null 2>&1
        wg set ${far} private-key /root/far.key peer ${publicKey} preshared-key /root/far.psk \
          endpoint 10.215.0.1:${port} allowed-ips ${net}.0/24
        ip -n ${far} addr add ${net}.2/24 dev ${far}
        ip -n ${far} link set ${far} up`);
      const started = await startOfUnit();

      const done = await apply(near([peer]));

      expect(await ping()).toBe("3");
      expect(await startOfUnit()).toBe(started);
      expect(await host.sh(`ip route show dev ${name} proto boot`)).toContain("10.214.0.0/24");
      for (const secret of secrets) expect(JSON.stringify(done.events)).not.toContain(secret);
    });

    it("is unchanged the second time, in one flight", async () => {
      const again = await apply(near([peer]));

      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    });

    it("still works after somebody reloads or restarts its unit", async () => {
      await host.sh(`systemctl reload wg-quick@${name}`);
      const reloaded = await ping();
      await host.sh(`systemctl restart wg-quick@${name}`);

      expect([reloaded, await ping()]).toEqual(["3", "3"]);
    });

    it("gives up the route of an address that is no longer the peer's, and moves to another port", async () => {
      const started = await startOfUnit();
      const publicKey = await host.sh(`wg show ${name} public-key`);
      port = await freePort();

      await apply(near([{ ...peer, allowedIps: [`${net}.2/32`] }]));

      expect(await startOfUnit()).toBe(started);
      expect(await host.sh(`wg show ${name} listen-port`)).toBe(String(port));
      await host.sh(`wg set ${far} peer ${publicKey} endpoint 10.215.0.1:${port}`);
      expect(await host.sh(`ip route show dev ${name} proto boot`)).not.toContain("10.214.0.0/24");
      expect(await ping()).toBe("3");
    });

    it("takes its peer back when somebody removed it by hand", async () => {
      await host.sh(`wg set ${name} peer ${String(peer["publicKey"])} remove`);

      await apply(near([{ ...peer, allowedIps: [`${net}.2/32`] }]));

      expect(await ping()).toBe("3");
    });

    it("tells its keys to no journal, no configuration and no process list", async () => {
      const seen = await host.sh(
        `journalctl --no-pager; cat /etc/wireguard/*.conf /etc/systemd/system/wg-quick@*/*; cat /proc/[0-9]*/cmdline | tr '\\0' ' '`,
      );

      expect(secrets).toHaveLength(3);
      for (const secret of secrets) expect(seen).not.toContain(secret);
    });

    it("goes without a trace", async () => {
      await apply({ interface: name, state: "absent" });

      expect(await host.sh(`ls /etc/wireguard; ip link show ${name} 2>&1 || true`)).toMatch(/does not exist/);
      expect(await host.sh("ls /etc/wireguard")).toBe("");
    });
  },
);
