import { describe, expect, it } from "vitest";

import { findDeployed } from "../../src/provisioner/deploy/deployed-host.ts";
import { startHost } from "../../src/provisioner/deploy/start-host.ts";
import type { DomainState } from "../../src/provisioner/libvirt/driver.ts";
import { FakeHypervisor, someDomain } from "../support/fake-hypervisor.ts";
import { quietRun } from "../support/quiet-run.ts";

async function start(state: DomainState): Promise<{ outcome: string; driver: FakeHypervisor }> {
  const driver = new FakeHypervisor([someDomain({ state })]);
  const host = await findDeployed(driver, "web");
  if (host === undefined) throw new Error("it is not there");
  return { outcome: await startHost(driver, host, quietRun()), driver };
}

describe("startHost", () => {
  it.each([
    ["shut-off", "started", ["start network default", "start web"]],
    ["crashed", "started", ["start network default", "start web"]],
    ["paused", "resumed", ["resume web"]],
    ["running", "already running", []],
  ] as const)("has one that is %s run", async (state, wanted, journal) => {
    const { outcome, driver } = await start(state);

    expect(outcome).toBe(wanted);
    expect(driver.journal).toEqual(journal);
    expect(driver.stateOf("web")).toBe("running");
  });
});
