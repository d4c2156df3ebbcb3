import { describe, expect, it } from "vitest";

import { findUnfinished, removeUnfinished } from "../../src/provisioner/deploy/unfinished-hosts.ts";
import type { ProcessIdentity } from "../../src/provisioner/local/process-identity.ts";
import { FakeHypervisor, someDomain, someVolume } from "../support/fake-hypervisor.ts";

const dead: ProcessIdentity = { pid: 1, machine: "m", boot: "b", started: "0" };
const living = { ...dead, pid: 2 };
const isAlive = async ({ pid }: ProcessIdentity) => pid === living.pid;
const notReady = { ready: false };

describe("findUnfinished", () => {
  it("finds hosts that never were ready and whose maker is dead, and no others", async () => {
    const driver = new FakeHypervisor([
      someDomain({ name: "dead", host: notReady, mark: { owner: dead } }),
      someDomain({ name: "in the making", host: notReady, mark: { owner: living } }),
      someDomain({ name: "nobody knows", host: notReady }),
      someDomain({ name: "deployed", mark: { owner: dead } }),
      someDomain({ name: "builder", mark: { role: "builder", owner: dead }, host: notReady }),
      someDomain({ name: "mine", mark: "none" }),
    ]);

    const found = await findUnfinished(driver, isAlive);

    expect(found.map(({ host }) => host.name)).toEqual(["dead"]);
  });

  it("removes its volumes, but no extra disk that somebody wrote to", async () => {
    const fresh = { allocation: 200_000 };
    const { mark } = someDomain();
    const files = [...(mark?.files ?? []), "/pool/web.disk-new.qcow2"];
    const driver = new FakeHypervisor(
      [someDomain({ host: notReady, mark: { owner: dead, files } })],
      [
        ...["web.qcow2", "web-seed.img", "web-console.log", "web-console.log.1"].map((name) =>
          someVolume(name),
        ),
        someVolume("web.disk-data.qcow2"),
        someVolume("web.disk-new.qcow2", fresh),
        someVolume("other.qcow2", fresh),
      ],
    );
    const [found] = await findUnfinished(driver, isAlive);
    if (found === undefined) throw new Error("it is not found");

    await removeUnfinished(driver, found);

    expect(found.kept).toEqual(["/pool/web.disk-data.qcow2"]);
    expect(driver.volumeNames).toEqual(["web.disk-data.qcow2", "other.qcow2"]);
    expect(driver.domainNames).toEqual([]);
    expect(driver.journal[0]).toBe("pull the plug of web");
  });
});
