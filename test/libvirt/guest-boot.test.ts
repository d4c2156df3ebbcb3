import { describe, expect, it } from "vitest";

import { startRun } from "../../src/provisioner/core/run.ts";
import type { Address, DomainState } from "../../src/provisioner/libvirt/driver.ts";
import { type BootingGuest, waitForBoot } from "../../src/provisioner/libvirt/guest-boot.ts";

/** Each look at the clock is a tenth of a second later. */
function ticking() {
  let now = 0;
  return startRun({ report: () => {}, signal: new AbortController().signal, now: () => (now += 100) });
}

function guest(changes: Partial<BootingGuest> = {}): BootingGuest {
  return {
    name: "g",
    state: async () => "running",
    trouble: async () => undefined,
    addresses: async () => [],
    consoleSize: async () => 0,
    consoleTail: async () => "last words",
    ...changes,
  };
}

function after<T>(times: number, then: T, before: T): () => Promise<T> {
  let asked = 0;
  return async () => (asked++ < times ? before : then);
}

const sleep = async () => {};
const patience = { quietMs: 1000, longestMs: 60_000, sleep };

describe("waitForBoot", () => {
  it("gives the agent's address before a lease, which can be older than the guest", async () => {
    const addresses: Address[] = [
      { address: "10.0.0.1", source: "lease" },
      { address: "10.0.0.2", source: "agent" },
      { address: "10.0.0.3", source: "arp" },
    ];

    const found = await waitForBoot(guest({ addresses: async () => addresses }), ticking(), patience);

    expect(found.map(({ address }) => address)).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.1"]);
  });

  it("names the stage when the guest never runs", async () => {
    const booted = waitForBoot(
      guest({ state: async (): Promise<DomainState> => "other" }),
      ticking(),
      patience,
    );

    await expect(booted).rejects.toMatchObject({
      code: "GUEST_NEVER_BOOTED",
      facts: { guest: "g", stage: "running", console: "last words" },
    });
  });

  it("waits on while the console grows", async () => {
    let bytes = 0;
    const slow = guest({
      addresses: after<readonly Address[]>(8, [{ address: "10.0.0.1", source: "lease" }], []),
      consoleSize: async () => (bytes += 10),
    });

    const found = await waitForBoot(slow, ticking(), { ...patience, quietMs: 300 });

    expect(found).toHaveLength(1);
  });

  it("gives up a guest that prints for ever", async () => {
    let bytes = 0;
    const endless = guest({ consoleSize: async () => (bytes += 10) });

    const booted = waitForBoot(endless, ticking(), { ...patience, quietMs: 10_000, longestMs: 1500 });

    await expect(booted).rejects.toMatchObject({ code: "GUEST_NEVER_BOOTED", facts: { stage: "address" } });
  });

  it("says at once that the guest died", async () => {
    const dead = guest({ trouble: async () => "crashed: its kernel panicked" });

    const booted = waitForBoot(dead, ticking(), patience);

    await expect(booted).rejects.toMatchObject({
      code: "GUEST_DIED",
      facts: { reason: "crashed: its kernel panicked", console: "last words" },
    });
  });
});
