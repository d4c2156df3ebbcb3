import { describe, expect, it } from "vitest";

import { findDeployed } from "../../src/provisioner/deploy/deployed-host.ts";
import { stopHost } from "../../src/provisioner/deploy/stop-host.ts";
import { FakeHypervisor, someDomain } from "../support/fake-hypervisor.ts";
import { quietRun } from "../support/quiet-run.ts";

async function stop(driver: FakeHypervisor, force = false): Promise<string> {
  const host = await findDeployed(driver, "web");
  if (host === undefined) throw new Error("it is not there");
  return stopHost(driver, host, { force, run: quietRun() });
}

describe("stopHost", () => {
  it("asks a host, and leaves one alone that is off", async () => {
    const driver = new FakeHypervisor([someDomain()]);

    expect([await stop(driver), await stop(driver)]).toEqual(["stopped", "already off"]);
    expect(driver.journal).toEqual(["shut down web"]);
  });

  it("says when a plug had to be pulled", async () => {
    const driver = new FakeHypervisor([someDomain()]);
    driver.guest = { shutDown: async () => false };

    expect(await stop(driver)).toBe("plug pulled");
  });

  it("pulls it at once when it is told to", async () => {
    const driver = new FakeHypervisor([someDomain({ state: "paused" })]);

    expect(await stop(driver, true)).toBe("plug pulled");
    expect(driver.journal).toEqual(["pull the plug of web"]);
  });
});
