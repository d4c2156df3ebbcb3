import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { converge } from "../../src/provisioner/core/converge.ts";
import { fillAddressing, networkConfig } from "../../src/provisioner/core/network-card.ts";
import { connectSsh } from "../../src/provisioner/host/ssh-connect.ts";
import { openSshHost } from "../../src/provisioner/host/ssh-host.ts";
import { ownTarget } from "../../src/provisioner/host/ssh-target.ts";
import { baseSettings } from "../../src/provisioner/image/base-settings.ts";
import { network as task } from "../../src/tasks/network/index.ts";
import { eventsOf, launch, type LaunchedRun } from "../support/launcher.ts";
import { networkedRoot } from "../support/networked-root.ts";
import { layNetwork, type OwnNetwork } from "../support/own-network.ts";
import { recordedRun } from "../support/recorded-run.ts";
import { startSystemdHost, type SystemdHost, whyNoSystemdHost } from "../support/systemd-host.ts";
import { systemdRoot } from "../support/systemd-root.ts";
import { sourcesOf } from "../support/tasks.ts";

const why = whyNoSystemdHost();
const { cacheDir } = baseSettings({ env: process.env, home: homedir(), isRoot: true });
const file = "/etc/netplan/50-cloud-init.yaml";

/** What cloud-init does at a first boot with this configuration in its seed. */
const RENDER = `
import yaml
from cloudinit.net.network_state import parse_net_config_data
from cloudinit.net.netplan import Renderer
Renderer({}).render_network_state(parse_net_config_data(yaml.safe_load(open("/root/network-config"))))
`;

describe.skipIf(why !== undefined)(
  `a network by netplan and systemd-networkd${why ? ` (skipped: ${why})` : ""}`,
  { shuffle: false },
  () => {
    let network: OwnNetwork;
    let host: SystemdHost;
    let folder: string;
    const lanMac = "52:54:00:d9:ff:01";

    /** The way in, and a second card. */
    const cards = ({ own = [`${network.address}/30`], lan = ["10.218.0.1/24"] } = {}) => ({
      cards: [
        { mac: network.mac, interface: "eth0", addresses: own },
        { mac: lanMac, interface: "lan0", addresses: lan },
      ],
    });

    async function apply(params: object): Promise<LaunchedRun> {
      const spec = join(folder, "network.yaml");
      await writeFile(spec, stringify({ base: "debian-13", tasks: [{ network: params }] }));
      return launch(["apply", "--spec", spec, ...host.login, "--verbose"]);
    }

    const outcome = (done: LaunchedRun) => [done.exitCode, eventsOf(done, "error")];
    const addresses = (name: string) => host.sh(`ip -4 -br addr show ${name} | awk '{ print $3 }'`);
    const armed = () =>
      host.sh("ls -A /run/provision-guard; systemctl list-units --all 'provision-guard*' -q");
    const mustBeAsWanted = async (params: object) => {
      const again = await apply(params);
      expect(outcome(again)).toEqual([0, []]);
      expect(eventsOf(again, "result")[0]?.data).toMatchObject({ changed: 0, flights: 1 });
    };

    beforeAll(async () => {
      const root = await systemdRoot(cacheDir, networkedRoot);
      network = await layNetwork();
      await network.ip("link", "add", "lan0", "address", lanMac, "type", "veth", "peer", "name", "far0");
      await network.ip("link", "set", "far0", "up");
      host = await startSystemdHost(root, { network });
      folder = await mkdtemp(join(tmpdir(), "provision-test-"));
      // Devices are the kernel's of this machine, which has a udev for them.
      await host.sh("ln -s /bin/true /usr/local/sbin/udevadm");
      // Cables of the kernel's own making have no permanent address: by their names alone they are known.
      await host.sh(`for name in eth0 lan0; do
          folder=/etc/systemd/network/10-netplan-$name.network.d
          mkdir -p $folder && printf '[Match]\\nPermanentMACAddress=\\n' >$folder/cable.conf
        done`);
      const wanted = cards().cards.map((card) => ({ ...card, ...fillAddressing(card) }));
      await writeFile(join(host.root, "root/network-config"), stringify(networkConfig(wanted)));
      await writeFile(join(host.root, "root/render.py"), RENDER);
      await host.sh("python3 /root/render.py && netplan apply");
    });

    afterAll(async () => {
      await host[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    it("has nothing to do where cloud-init wrote the very same", async () => {
      const written = await host.sh(`cat ${file}; stat -c %a ${file}`);

      await mustBeAsWanted(cards());

      expect(written).toMatch(/600$/);
      expect(await host.sh(`cat ${file}; stat -c %a ${file}`)).toBe(written);
      expect(await addresses("lan0")).toBe("10.218.0.1/24");
    });

    it("gives a card another address, confirms it over a new connection, and leaves nothing armed", async () => {
      const changed = cards({ lan: ["10.218.0.7/24"] });

      const done = await apply(changed);

      expect(outcome(done)).toEqual([0, []]);
      expect([await addresses("lan0"), await addresses("eth0")]).toEqual([
        "10.218.0.7/24",
        `${network.address}/30`,
      ]);
      expect(await armed()).toBe("network.lock");
      await mustBeAsWanted(changed);
    });

    it("puts nothing in place that netplan does not take, and says where it is wrong", async () => {
      const before = await host.sh(`cat ${file}`);

      const failed = await apply(cards({ lan: ["10.218.0.256/24"] }));

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
      expect(error?.message).toMatch(/\/etc\/netplan\/50-cloud-init\.yaml:\d+:\d+: .*10\.218\.0\.256\/24/);
      expect(await host.sh(`cat ${file}`)).toBe(before);
      expect(await armed()).toBe("network.lock");
    });

    it("takes no card that the machine does not have", async () => {
      const [own, lan] = cards().cards;

      const failed = await apply({ cards: [own, { ...lan, mac: "52:54:00:d9:ff:02" }] });

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code]).toEqual([5, "ACTION_FAILED"]);
      expect(error?.message).toContain(
        "no network card has the hardware address 52:54:00:d9:ff:02; there are:",
      );
      expect(error?.message).toContain(`lan0: ${lanMac}`);
    });

    it("comes back by itself when the way to it is taken away, and the run says so", async () => {
      const before = await host.sh(`cat ${file}`);

      const failed = await apply(cards({ own: ["10.219.0.2/24"], lan: ["10.218.0.8/24"] }));

      const [error] = eventsOf(failed, "error");
      expect([failed.exitCode, error?.code, error?.where]).toEqual([
        6,
        "CHANGE_REVERTED",
        expect.objectContaining({ line: 3 }),
      ]);
      expect(await host.sh(`cat ${file}`)).toBe(before);
      expect([await addresses("lan0"), await addresses("eth0")]).toEqual([
        "10.218.0.7/24",
        `${network.address}/30`,
      ]);
      await mustBeAsWanted(cards({ lan: ["10.218.0.7/24"] }));
    });

    it("is followed to its new address where whoever connects knows of it", async () => {
      const address = network.address.replace(/^10\.217\./, "10.220.");
      await network.addHere(`${network.here.replace(/^10\.217\./, "10.220.")}/30`);
      const { run } = recordedRun();
      const [, hostKey = ""] = /^\S+ (.*)$/m.exec(await readFile(host.knownHosts, "utf8")) ?? [];
      const privateKey = await readFile(host.identity, "utf8");
      const asked: string[] = [];
      const connect = async () => {
        const at = asked.length % 2 === 0 ? network.address : address;
        asked.push(at);
        const target = ownTarget({ host: at, port: host.port, user: "root", hostKey, privateKey });
        return connectSsh(target, { signal: run.signal, connectTimeoutMs: 4000, keepAliveMs: 2000 });
      };
      const params = cards({ own: [`${address}/30`], lan: ["10.218.0.7/24"] });

      await using ssh = await openSshHost({ name: "host", connect, run: "run-1", signal: run.signal });
      const where = { file: "host.yaml", line: 1, column: 1 };
      const recipe = [{ id: "network", task, params, where }];
      const summary = await converge(recipe, { host: ssh, run, check: false, sources: sourcesOf() });

      expect(summary).toMatchObject({ changed: 1 });
      expect(asked.at(-1)).toBe(address);
      expect(await addresses("eth0")).toBe(`${address}/30`);
      expect(await armed()).toBe("network.lock");
    });
  },
);
