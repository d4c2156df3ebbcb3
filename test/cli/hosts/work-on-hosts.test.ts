import { describe, expect, it } from "vitest";

import { workOnHosts } from "../../../src/provisioner/cli/hosts/work-on-hosts.ts";
import type { Ending } from "../../../src/provisioner/cli/exit-code.ts";
import { FakeHypervisor, fakeHypervisors, someDomain } from "../../support/fake-hypervisor.ts";
import { quietRun } from "../../support/quiet-run.ts";

const uri = "fake:///system";

async function work(
  names: readonly string[],
  { isNamed = true, at = uri } = {},
): Promise<{ readonly ending: Ending; readonly text: string }> {
  const driver = new FakeHypervisor([someDomain(), someDomain({ name: "theirs", mark: "none" })]);
  let text = "";
  const ending = await workOnHosts(
    {
      hosts: names.map((name) => ({ name, uri: at, loaded: undefined, isNamed })),
      hypervisors: fakeHypervisors(driver),
      width: 4,
      work: async (_driver, host) => `did ${host.name}`,
    },
    { run: quietRun(), result: (words) => (text = words) },
  );
  return { ending, text };
}

describe("workOnHosts", () => {
  it("does it with what is deployed", async () => {
    expect(await work(["web"])).toEqual({ ending: "as-wanted", text: "web: did web" });
  });

  it("passes over what is not deployed when it was not named", async () => {
    const { ending, text } = await work(["web", "gone"], { isNamed: false });

    expect([ending, text]).toEqual(["as-wanted", "NAME  OUTCOME\nweb   did web\ngone  not deployed"]);
  });

  it("ends 4 when one that was named is not there", async () => {
    expect((await work(["gone", "web"])).ending).toEqual({ exitCode: 4 });
    await expect(work(["gone"])).rejects.toMatchObject({ code: "HOST_NOT_DEPLOYED", exitCode: 4 });
  });

  it("refuses a domain that is not ours, and a hypervisor that is down", async () => {
    await expect(work(["theirs"])).rejects.toMatchObject({ code: "DOMAIN_FOREIGN", exitCode: 4 });
    await expect(work(["web"], { at: "qemu+ssh://far/system" })).rejects.toMatchObject({ code: "LIBVIRT_DOWN" });
  });
});
