import { describe, expect, it } from "vitest";

import { ProvisionError } from "../../src/provisioner/core/errors.ts";
import { checkPlace, keepAddresses, type Place } from "../../src/provisioner/deploy/check-place.ts";
import { FakeLibvirt } from "../support/fake-libvirt.ts";
import { someMachine } from "../support/machine.ts";
import { someCard, someHost } from "../support/some-host.ts";

const mine = "52:54:00:00:00:01";
const other = "52:54:00:00:00:99";
const fixed = someHost({ networks: [someCard({ addresses: ["2001:db8::10/64", "192.0.2.10/24"] })] });
const hour = 3_600_000;

function check(hypervisor: FakeLibvirt, spec = fixed, more: Partial<Place> = {}): Promise<void> {
  return checkPlace(spec, { driver: hypervisor.driver, silent: [], ownMacs: [], ...more });
}

/** A hypervisor on which somebody has the address by a lease. */
function leased(mac: string, expires: Date): FakeLibvirt {
  const hypervisor = new FakeLibvirt();
  hypervisor.leases.push({ network: "default", mac, address: "192.0.2.10", hostname: "db", expires });
  return hypervisor;
}

function kept(mac: string, address = "192.0.2.10"): FakeLibvirt {
  const hypervisor = new FakeLibvirt();
  hypervisor.reservations.push({ network: "default", mac, address, name: "db" });
  return hypervisor;
}

function withDomain(name: string): FakeLibvirt {
  const hypervisor = new FakeLibvirt();
  const machine = someMachine({ name, cards: [{ mac: mine.toUpperCase(), network: "default" }] });
  hypervisor.domains.set(name, { machine, accelerator: "tcg", autostart: false, state: "running" });
  return hypervisor;
}

describe("checkPlace", () => {
  it.each<[what: string, hypervisor: FakeLibvirt, facts: object]>([
    ["another domain's hardware address", withDomain("db"), { mac: mine, domain: "db" }],
    ["an address that is kept for another", kept(other), { address: "192.0.2.10", by: "kept for db" }],
    [
      "an address that is leased to another",
      leased(other, new Date(Date.now() + hour)),
      { address: "192.0.2.10", by: "leased to db" },
    ],
    [
      "an address that is leased to another for ever",
      leased(other, new Date(0)),
      { address: "192.0.2.10", by: "leased to db" },
    ],
  ])("refuses %s", async (_what, hypervisor, facts) => {
    await expect(check(hypervisor)).rejects.toMatchObject({ facts: { host: "web", ...facts } });
  });

  it.each<[what: string, hypervisor: FakeLibvirt]>([
    ["nobody has", new FakeLibvirt()],
    ["its own domain has", withDomain("web")],
    ["is kept for its own card", kept(mine)],
    ["was leased to another until a while ago", leased(other, new Date(Date.now() - hour))],
    ["is leased to its own card", leased(mine, new Date(Date.now() + hour))],
  ])("takes an address that %s", async (_what, hypervisor) => {
    await expect(check(hypervisor)).resolves.toBeUndefined();
  });

  it.each([kept(other), leased(other, new Date(Date.now() + hour))])(
    "takes what the host's card of before has, %#",
    async (hypervisor) => {
      await expect(check(hypervisor, fixed, { ownMacs: [other.toUpperCase()] })).resolves.toBeUndefined();
    },
  );

  it("does not look at leases of a bridge, which libvirt knows nothing of", async () => {
    const joins = { kind: "bridge", name: "br0" } as const;

    const spec = someHost({ networks: [someCard({ joins, addresses: ["192.0.2.10/24"] })] });

    await expect(check(kept(other), spec)).resolves.toBeUndefined();
  });

  it.each([
    ["127.0.0.9/8", "answered for by another machine"],
    ["224.0.0.1/4", undefined],
  ])("knocks at an address that is to be silent: %s", async (address, by) => {
    const spec = someHost({ networks: [someCard({ addresses: [address] })] });

    const found = await check(new FakeLibvirt(), spec, { silent: spec.networks }).then(
      () => undefined,
      (error: ProvisionError) => error.facts,
    );

    expect(found).toEqual(by && { host: "web", address: address.replace(/\/.*/, ""), by });
  });

  it("knocks at none that may answer: the host itself may be there", async () => {
    const spec = someHost({ networks: [someCard({ addresses: ["127.0.0.9/8"] })] });

    await expect(check(new FakeLibvirt(), spec)).resolves.toBeUndefined();
  });

  it("refuses a network that is missing, and a device that cannot be handed through", async () => {
    const hypervisor = new FakeLibvirt();
    const lost = someHost({ networks: [someCard({ joins: { kind: "network", name: "lab" } })] });
    const facts = { device: "0000:01:00.0", uri: "fake:///system", lacks: "device" } as const;
    const unfit = new ProvisionError("DEVICE_UNFIT", facts);

    await expect(check(hypervisor, lost)).rejects.toMatchObject({ code: "NETWORK_MISSING" });
    hypervisor.before = (call) => {
      if (call.startsWith("devices.")) throw unfit;
    };
    await expect(check(hypervisor, someHost({ gpus: ["0000:01:00.0"] }))).rejects.toBe(unfit);
  });
});

describe("keepAddresses", () => {
  const keeping = async (hypervisor: FakeLibvirt, spec = fixed) => {
    await keepAddresses(spec, hypervisor.driver);
    return hypervisor;
  };

  it("keeps the fixed IPv4 address of a card", async () => {
    const { reservations } = await keeping(new FakeLibvirt());

    expect(reservations).toEqual([{ network: "default", mac: mine, address: "192.0.2.10", name: "web" }]);
  });

  it("leaves what is kept already alone, however its hardware address is written", async () => {
    const upper = someHost({
      networks: [someCard({ mac: mine.toUpperCase(), addresses: ["192.0.2.10/24"] })],
    });
    const hypervisor = await keeping(kept(mine), upper);

    expect(hypervisor.calls).toEqual(["networks.hosts default"]);
  });

  it("replaces another address of the card", async () => {
    const { reservations } = await keeping(kept(mine, "192.0.2.99"));

    expect(reservations.map(({ address }) => address)).toEqual(["192.0.2.10"]);
  });

  it.each<[what: string, card: Parameters<typeof someCard>[0]]>([
    ["asks by DHCP", {}],
    ["has none but IPv6", { addresses: ["2001:db8::10/64"] }],
    ["is on a bridge", { joins: { kind: "bridge", name: "br0" }, addresses: ["192.0.2.10/24"] }],
  ])("keeps nothing for a card that %s", async (_what, card) => {
    const { reservations } = await keeping(new FakeLibvirt(), someHost({ networks: [someCard(card)] }));

    expect(reservations).toEqual([]);
  });

  it.each([
    ["forgets what it kept for a card that asks by DHCP now", "web", 0],
    ["leaves what somebody else keeps for it", "admin's choice", 1],
  ])("%s", async (_what, name, count) => {
    const hypervisor = new FakeLibvirt();
    hypervisor.reservations.push({ network: "default", mac: mine, address: "192.0.2.10", name });

    const { reservations } = await keeping(hypervisor, someHost({ networks: [someCard({ mac: mine })] }));

    expect(reservations.length).toBe(count);
  });
});
