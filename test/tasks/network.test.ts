import { describe, expect, it } from "vitest";

import { network } from "../../src/tasks/network/index.ts";
import { emptyMachine, type FakeHost } from "../support/fake-host.ts";
import { accepts, planned, refusal, settle } from "../support/tasks.ts";

const file = "/etc/netplan/50-cloud-init.yaml";
const lan = {
  mac: "52:54:00:00:00:01",
  interface: "lan0",
  addresses: ["192.0.2.10/24", "2001:db8::10/64"],
  gateways: ["192.0.2.1", "fe80::1"],
  dns: { servers: ["192.0.2.53"], search: ["example.org"] },
};
const base = { cards: [lan, { mac: "52:54:00:00:00:02", interface: "no", dhcp6: true }] };

/** To the letter what cloud-init 25.1.4 with netplan 1.1.2 makes of test/deploy/golden/network-config. */
const byCloudInit = `network:
  version: 2
  ethernets:
    lan0:
      match:
        macaddress: "52:54:00:00:00:01"
      addresses:
      - "192.0.2.10/24"
      - "2001:db8::10/64"
      nameservers:
        addresses:
        - 192.0.2.53
        search:
        - example.org
      dhcp4: false
      dhcp6: false
      set-name: "lan0"
      routes:
      - to: "0.0.0.0/0"
        via: "192.0.2.1"
      - to: "::/0"
        via: "fe80::1"
    no:
      match:
        macaddress: "52:54:00:00:00:02"
      dhcp4: true
      dhcp6: true
      set-name: "no"
`;

function machine(text = byCloudInit): FakeHost {
  const host = emptyMachine();
  host.files.directory("/etc/netplan");
  host.files.write(file, text, { mode: "0600" });
  return host;
}

function deeds({ journal }: FakeHost): readonly string[] {
  return journal.map((line) => line.replace(/^(run provision-guard arm \S+) .*/, "$1"));
}

const moved = {
  cards: [{ ...lan, addresses: ["192.0.2.11/24", "2001:db8::10/64"] }, ...base.cards.slice(1)],
};

describe("network", () => {
  it.each([
    ["as cloud-init wrote it", byCloudInit],
    ["without the defaults that it spells out", byCloudInit.replaceAll(/ +dhcp[46]: false\n/g, "")],
    ["with the other word for everywhere", byCloudInit.replaceAll(/"(0\.0\.0\.0|::)\/0"/g, "default")],
    ["with another word for true", byCloudInit.replaceAll(": true", ": yes")],
    [
      "with hardware addresses in capitals",
      byCloudInit.replaceAll(/"52:54[^"]*"/g, (mac) => mac.toUpperCase()),
    ],
    ["in one line", JSON.stringify(parseable())],
    [
      "with a comment",
      `# This file is generated from information provided by the datasource.\n${byCloudInit}`,
    ],
  ])("has nothing to do when the file says it %s", async (_, text) => {
    const host = machine(text);

    expect(await settle(network, base, host)).toMatchObject({ changed: 0, flights: 1 });
    expect(host.journal).toEqual([]);
  });

  it("checks, guards, writes, applies and confirms a change, in this order", async () => {
    const host = machine();

    await settle(network, moved, host);

    expect(deeds(host)).toEqual([
      "run provision-netplan-check 52:54:00:00:00:01 52:54:00:00:00:02",
      "run provision-guard arm network",
      "directory /etc/netplan",
      `write ${file}`,
      "run provision-netplan",
      "directory /var/lib/provision/stamps",
      "write /var/lib/provision/stamps/network",
      "run provision-guard confirm network",
    ]);
    expect(host.files.stat(file)).toMatchObject({ mode: "0600", owner: "root" });
    expect(host.files.read(file)).toContain("192.0.2.11/24");
    expect([host.reconnects, host.guards.armed]).toEqual([1, []]);
  });

  it("shows of a change what differs, and not how it is written", async () => {
    const [change] = await planned(network, moved, machine());
    const [what, from = "", to = ""] = change ?? [];

    const lines = from.split("\n").filter((line) => !to.includes(line));
    expect([what, lines]).toEqual([file, ["        - 192.0.2.10/24"]]);
  });

  it("shows no secret of a file that somebody else wrote", async () => {
    const wifi = "network: {wifis: {wl0: {access-points: {home: {password: hunter2}}}}}\n";

    expect(JSON.stringify(await planned(network, base, machine(wifi)))).not.toContain("hunter2");
  });

  it("puts the earlier file back, and applies it, where the host cannot be reached with the new one", async () => {
    const host = machine();
    host.away = () => void host.guards.expire("network");

    await expect(settle(network, moved, host)).rejects.toMatchObject({
      code: "CHANGE_REVERTED",
      message: expect.stringContaining(`Cannot settle network ${file}`),
    });

    expect(host.files.read(file)).toBe(byCloudInit);
    expect(host.files.stat("/var/lib/provision/stamps/network")).toBeUndefined();
    expect(host.guards.restored).toEqual([expect.stringContaining("\nnetplan apply\n")]);
  });

  it("puts nothing in place that netplan does not take", async () => {
    const host = machine();
    const wrong = { cards: [{ ...lan, addresses: ["nonsense"] }] };

    await expect(settle(network, wrong, host)).rejects.toMatchObject({
      code: "ACTION_FAILED",
      message: expect.stringContaining("malformed address 'nonsense'"),
    });

    expect(host.journal).toEqual(["run provision-netplan-check 52:54:00:00:00:01"]);
    expect(host.files.read(file)).toBe(byCloudInit);
  });

  it.each([
    [4, ["run provision-netplan"]],
    [7, []],
  ])("applies what was written when it was cut off after %i orders, and not twice", async (orders, again) => {
    const host = machine();
    host.loseAt(2, orders);
    host.staysAway = true;
    await expect(settle(network, moved, host)).rejects.toMatchObject({ code: "HOST_LOST" });
    host.staysAway = false;
    host.journal.length = 0;

    await settle(network, moved, host);

    expect(host.journal.filter((line) => line === "run provision-netplan")).toEqual(again);
    expect(host.guards.armed).toEqual([]);
  });

  it("closes a file that others may read, without touching the network", async () => {
    const host = machine();
    host.files.attributes(file, { mode: "0644" });

    await settle(network, base, host);

    expect(host.journal).toEqual([`attributes ${file}`]);
  });

  it.each([
    [{ cards: [lan, { ...lan, interface: "lan1" }] }, /mac of its own, two have "52:54:00:00:00:01"/],
    [{ cards: [lan, { ...lan, mac: "52:54:00:00:00:09" }] }, /interface of its own, two have "lan0"/],
  ])("refuses %j", async (params, reason) => {
    await expect(settle(network, params, machine())).rejects.toMatchObject(refusal(reason));
  });

  it.each([
    [{ cards: [] }, false],
    [{ cards: [{ interface: "lan0" }] }, false],
    [{ cards: [{ mac: lan.mac, interface: "lo" }] }, false],
    [{ cards: [{ mac: "52:54:00:00:00:0A", interface: "lan0" }] }, false],
    [{ cards: [{ mac: lan.mac, interface: "lan0", bridge: "br0" }] }, false],
    [{ cards: [{ mac: lan.mac, interface: "lan0", dhcp4: false }] }, true],
    [base, true],
  ])("takes %j: %s", (params, isTaken) => {
    expect(accepts(network, params)).toBe(isTaken);
  });
});

function parseable(): unknown {
  const [one, two] = base.cards;
  return {
    network: {
      ethernets: {
        no: { "set-name": "no", dhcp6: true, dhcp4: true, match: { macaddress: two?.mac } },
        lan0: {
          addresses: lan.addresses,
          routes: [
            { via: "192.0.2.1", to: "0.0.0.0/0" },
            { via: "fe80::1", to: "::/0" },
          ],
          match: { macaddress: one?.mac },
          "set-name": "lan0",
          nameservers: { search: lan.dns.search, addresses: lan.dns.servers },
        },
      },
      version: 2,
    },
  };
}
