import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { stringify } from "yaml";

import { fillAddressing, networkConfig } from "../../src/provisioner/core/network-card.ts";
import { launch, type LaunchedRun } from "./launcher.ts";
import { networkedRoot } from "./networked-root.ts";
import { layNetwork, type OwnNetwork } from "./own-network.ts";
import { startSystemdHost, type SystemdHost } from "./systemd-host.ts";
import { systemdRoot } from "./systemd-root.ts";

/** Where cloud-init and the task write what netplan reads. */
export const netplanFile = "/etc/netplan/50-cloud-init.yaml";

/** Hardware address of the second card. */
export const lanMac = "52:54:00:d9:ff:01";

/** What cloud-init does at a first boot with this configuration in its seed. */
const RENDER = `
import yaml
from cloudinit.net.network_state import parse_net_config_data
from cloudinit.net.netplan import Renderer
Renderer({}).render_network_state(parse_net_config_data(yaml.safe_load(open("/root/network-config"))))
`;

interface Card {
  readonly mac: string;
  readonly interface: string;
  readonly addresses: string[];
}

/** A host whose network is netplan's and systemd-networkd's: eth0 is the way in, lan0 a second card. */
export interface NetplanHost extends AsyncDisposable {
  readonly host: SystemdHost;
  readonly network: OwnNetwork;
  /** Parameters of the task `network` that give the cards these addresses; as it came when left out. */
  cards(given?: { readonly own?: string[]; readonly lan?: string[] }): {
    readonly cards: readonly Card[];
  };
  apply(params: object): Promise<LaunchedRun>;
  /** Of IPv4, of a card by its name. */
  addresses(name: string): Promise<string>;
  /** What guards the host has, and what became of them. */
  armed(): Promise<string>;
}

/** Starts one, set up as by cloud-init. */
export async function startNetplanHost(cacheDir: string): Promise<NetplanHost> {
  const root = await systemdRoot(cacheDir, networkedRoot);
  const network = await layNetwork();
  await network.ip("link", "add", "lan0", "address", lanMac, "type", "veth", "peer", "name", "far0");
  await network.ip("link", "set", "far0", "up");
  const host = await startSystemdHost(root, { network });
  const folder = await mkdtemp(join(tmpdir(), "provision-test-"));
  const cards: NetplanHost["cards"] = ({
    own = [`${network.address}/30`],
    lan = ["10.218.0.1/24"],
  } = {}) => ({
    cards: [
      { mac: network.mac, interface: "eth0", addresses: own },
      { mac: lanMac, interface: "lan0", addresses: lan },
    ],
  });
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
  return {
    host,
    network,
    cards,
    async apply(params) {
      const spec = join(folder, "network.yaml");
      await writeFile(spec, stringify({ base: "debian-13", tasks: [{ network: params }] }));
      return launch(["apply", "--spec", spec, ...host.login, "--verbose"]);
    },
    addresses: (name) => host.sh(`ip -4 -br addr show ${name} | awk '{ print $3 }'`),
    armed: () => host.sh("ls -A /run/provision-guard; systemctl list-units --all 'provision-guard*' -q"),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await network[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
