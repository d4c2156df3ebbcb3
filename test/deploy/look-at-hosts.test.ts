import { describe, expect, it } from "vitest";

import { lookAtHosts } from "../../src/provisioner/deploy/look-at-hosts.ts";
import { FakeHypervisor, someDomain } from "../support/fake-hypervisor.ts";

describe("lookAtHosts", () => {
  it("tells what each deployed host is, and which names others have", async () => {
    const driver = new FakeHypervisor([
      someDomain({ host: { ready: false } }),
      someDomain({ name: "db", state: "shut-off", autostart: false }),
      someDomain({ name: "mine", mark: "none" }),
      someDomain({ name: "builder", mark: { role: "builder" } }),
    ]);

    const { hosts, foreign } = await lookAtHosts(driver, () => 0);

    expect(hosts).toEqual([
      {
        name: "web",
        state: "running",
        ready: false,
        addresses: ["192.0.2.1"],
        image: "base@20260101-aa",
        sha256: "a".repeat(64),
        cpus: 2,
        memoryMiB: 2048,
        autostart: true,
        users: ["alice"],
      },
      expect.objectContaining({ name: "db", state: "shut-off", addresses: [], autostart: false }),
    ]);
    expect(foreign).toEqual(["mine", "builder"]);
  });

  it("goes on without addresses when asking for them takes too long, or fails", async () => {
    let clock = 0;
    const driver = new FakeHypervisor(["a", "b", "c"].map((name) => someDomain({ name })));
    driver.guest = {
      addresses: async () => {
        clock += 10_000;
        if (clock === 10_000) throw new Error("the agent hangs");
        return [{ address: "192.0.2.2", source: "agent" }];
      },
    };

    const { hosts } = await lookAtHosts(driver, () => clock);

    expect(hosts.map(({ addresses }) => addresses)).toEqual([undefined, ["192.0.2.2"], undefined]);
  });
});
