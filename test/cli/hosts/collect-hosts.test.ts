import { describe, expect, it } from "vitest";

import { type CollectedHosts, collectHosts } from "../../../src/provisioner/cli/hosts/collect-hosts.ts";
import { FakeHypervisor, fakeHypervisors, someDomain, someVolume } from "../../support/fake-hypervisor.ts";

const owner = { pid: 1, machine: "m", boot: "b", started: "0" };
const image = "provision-image-1.qcow2";

function someHypervisor(uri: string): FakeHypervisor {
  return new FakeHypervisor(
    [someDomain({ host: { ready: false }, mark: { owner } }), someDomain({ name: "db" })],
    [
      someVolume("web.qcow2", { backing: `/pool/${image}` }),
      someVolume("web.disk-data.qcow2"),
      someVolume(image),
      someVolume(`${image}.whole`),
    ],
    uri,
  );
}

function collect(all: readonly FakeHypervisor[], uris: readonly string[], check = false): Promise<CollectedHosts> {
  const hypervisors = fakeHypervisors(...all);
  return collectHosts({ uris, hypervisors, check, wallClock: 0, isAlive: async () => false });
}

describe("collectHosts", () => {
  it("removes hosts that were never done, then the images that stood below them alone", async () => {
    const driver = someHypervisor("fake:///system");

    const { found, failed } = await collect([driver], [driver.uri]);

    expect(failed).toEqual([]);
    expect(found).toEqual([
      {
        kind: "host",
        name: "web",
        hypervisor: driver.uri,
        files: ["/pool/web.qcow2"],
        kept: ["/pool/web.disk-data.qcow2"],
      },
      { kind: "image", name: image, hypervisor: driver.uri, files: [image, `${image}.whole`] },
    ]);
    expect(driver.domainNames).toEqual(["db"]);
    expect(driver.volumeNames).toEqual(["web.disk-data.qcow2"]);
  });

  it("only looks when it checks", async () => {
    const driver = someHypervisor("fake:///system");

    const { found } = await collect([driver], [driver.uri], true);

    expect(found.map(({ name }) => name)).toEqual(["web"]);
    expect(driver.journal).toEqual([]);
  });

  it("goes on with the other hypervisors when one is down, and with the images when a host will not go", async () => {
    const driver = someHypervisor("fake:///system");
    driver.hosts.undefine = () => Promise.reject(new Error("it will not go"));

    const { found, failed } = await collect([driver], ["fake:///down", driver.uri]);

    expect(failed.map(({ name }) => name).toSorted()).toEqual(["fake:///down", "web"]);
    expect(found.map(({ name }) => name)).toEqual([image]);
  });
});
