import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { destroyHost } from "../../src/provisioner/deploy/destroy-host.ts";
import { rememberHost } from "../../src/provisioner/deploy/known-hosts-file.ts";
import { isNothing, planDestroy } from "../../src/provisioner/deploy/plan-destroy.ts";
import { thisProcess } from "../../src/provisioner/local/process-identity.ts";
import { FakeHypervisor, someDomain, someVolume } from "../support/fake-hypervisor.ts";
import { somePublicKey } from "../support/public-key.ts";
import { quietRun } from "../support/quiet-run.ts";
import { someCard, someHost } from "../support/some-host.ts";

let folder = "";
let knownHosts = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-destroy-"));
  knownHosts = join(folder, "known_hosts");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ownFiles = [
  "web.qcow2",
  "web-seed.img",
  "web-console.log",
  "web-console.log.0",
  "web-console.log.2",
  "web.disk-data.qcow2",
];
const spec = someHost({ extraDisks: [{ name: "data", sizeGiB: 5 }] });

function deployed(...others: readonly string[]): FakeHypervisor {
  const driver = new FakeHypervisor(
    [someDomain(), someDomain({ name: "db" })],
    [...ownFiles, "db.qcow2", ...others].map((name) => someVolume(name)),
  );
  driver.reserved.push({ mac: "52:54:00:00:00:01", address: "192.0.2.7" });
  driver.reserved.push({ mac: "52:54:00:00:00:99", address: "192.0.2.9" });
  return driver;
}

async function destroy(
  driver: FakeHypervisor,
  { purge = false, run = quietRun(), file = spec, hasFile = true } = {},
) {
  const plan = await planDestroy(
    { name: "web", spec: hasFile ? file : undefined, purge, knownHosts },
    driver,
  );
  return { plan, run, ...(await destroyHost(plan, { driver, knownHosts, run })) };
}

describe("destroy", () => {
  it("shuts a host down and removes all but its disks", async () => {
    const driver = deployed();
    await rememberHost(knownHosts, "web", somePublicKey(), quietRun());
    await rememberHost(knownHosts, "db", somePublicKey(), quietRun());

    const { outcome, kept, removed } = await destroy(driver);

    expect({ outcome, kept, removed }).toEqual({
      outcome: "destroyed",
      kept: ["/pool/web.qcow2", "/pool/web.disk-data.qcow2"],
      removed: [],
    });
    expect(driver.journal).toEqual([
      "shut down web",
      "forget 52:54:00:00:00:01 in default",
      "remove web-seed.img",
      "remove web-console.log",
      "remove web-console.log.0",
      "remove web-console.log.2",
      "undefine web",
    ]);
    expect(driver.volumeNames).toEqual(["web.qcow2", "web.disk-data.qcow2", "db.qcow2"]);
    expect(driver.reserved.map(({ address }) => address)).toEqual(["192.0.2.9"]);
    expect(await readFile(knownHosts, "utf8")).toMatch(/^db \S+ \S+\n$/);
  });

  it("removes its disks with --purge, and pulls the plug before", async () => {
    const driver = deployed("web2.qcow2", "website.disk-data.qcow2");

    const { removed, kept } = await destroy(driver, { purge: true, hasFile: false });

    expect(removed).toEqual(["/pool/web.qcow2", "/pool/web.disk-data.qcow2"]);
    expect(kept).toEqual([]);
    expect(driver.journal[1]).toBe("pull the plug of web");
    expect(driver.journal.at(-1)).toBe("undefine web");
    expect(driver.volumeNames).toEqual(["db.qcow2", "web2.qcow2", "website.disk-data.qcow2"]);
    expect(driver.domainNames).toEqual(["db"]);
  });

  it("keeps a disk of its mark that is attached no more", async () => {
    const driver = new FakeHypervisor(
      [someDomain({ mark: { files: ["/pool/web.qcow2", "/pool/web.disk-old.qcow2"] } })],
      [someVolume("web.qcow2"), someVolume("web.disk-old.qcow2")],
    );

    const { kept } = await destroy(driver);

    expect(kept).toEqual(["/pool/web.qcow2", "/pool/web.disk-old.qcow2"]);
    expect(driver.volumeNames).toEqual(["web.qcow2", "web.disk-old.qcow2"]);
  });

  it("never removes a disk that its mark does not name", async () => {
    const stick = { target: "vdd", path: "/pool/stick.iso", readOnly: true };
    const { facts } = someDomain();
    const driver = new FakeHypervisor(
      [someDomain({ facts: { disks: [...facts.disks, stick] } })],
      [someVolume("web.qcow2"), someVolume("stick.iso")],
    );

    await destroy(driver, { purge: true });

    expect(driver.volumeNames).toEqual(["stick.iso"]);
  });

  it("refuses a domain that is not ours, and touches nothing of it", async () => {
    for (const mark of ["none", { role: "builder" }] as const) {
      const driver = new FakeHypervisor([someDomain({ mark })], [someVolume("web.qcow2")]);

      await expect(destroy(driver, { purge: true })).rejects.toMatchObject({ code: "DOMAIN_FOREIGN" });
      expect(driver.journal).toEqual([]);
    }
  });

  it("refuses one that is just being made, and takes one whose maker is dead", async () => {
    const owner = await thisProcess();
    const born = (who: typeof owner) =>
      new FakeHypervisor([someDomain({ host: { ready: false }, mark: { owner: who } })]);

    await expect(destroy(born(owner))).rejects.toMatchObject({ code: "HOST_BEING_MADE", exitCode: 7 });
    for (const gone of [
      { ...owner, started: "0" },
      { ...owner, machine: "another" },
    ])
      expect((await destroy(born(gone))).outcome).toBe("destroyed");
  });

  it("forgets the fully qualified name too", async () => {
    const driver = new FakeHypervisor([someDomain({ host: { fqdn: "web.example.org" } })]);
    await rememberHost(knownHosts, "web.example.org", somePublicKey(), quietRun());

    const { plan } = await destroy(driver);

    expect(plan.known).toEqual(["web.example.org"]);
    expect(await readFile(knownHosts, "utf8")).toBe("");
  });

  it("goes on where it was cut short", async () => {
    const driver = deployed();
    const plan = await planDestroy({ name: "web", spec, purge: true, knownHosts }, driver);
    driver.volumes.removeByPath = async () => {
      throw new Error("cut short");
    };
    const request = { driver, knownHosts, run: quietRun() };
    await expect(destroyHost(plan, request)).rejects.toThrow("cut short");
    const still = driver.domainNames;
    const again = new FakeHypervisor(
      [someDomain({ state: "shut-off" })],
      ownFiles.slice(2).map((name) => someVolume(name)),
    );

    const { outcome } = await destroy(again, { purge: true });

    expect(still).toContain("web");
    expect(outcome).toBe("destroyed");
    expect(again.volumeNames).toEqual([]);
  });
});

describe("a host without a domain", () => {
  it("has its leftover disks removed by --purge alone", async () => {
    const driver = new FakeHypervisor(
      [],
      ownFiles.map((name) => someVolume(name)),
    );

    const kept = await destroy(driver);
    const left = driver.volumeNames;
    const purged = await destroy(driver, { purge: true });

    expect([kept.outcome, kept.kept]).toEqual([
      "leftovers removed",
      ["/pool/web.qcow2", "/pool/web.disk-data.qcow2"],
    ]);
    expect(left).toEqual(["web.qcow2", "web.disk-data.qcow2"]);
    expect([purged.outcome, purged.removed]).toEqual(["leftovers removed", kept.kept]);
    expect(driver.volumeNames).toEqual([]);
  });

  it("loses no disk that another machine uses, or that another disk stands on", async () => {
    const disks = [{ target: "vda", path: "/pool/web.qcow2", readOnly: false }];
    const driver = new FakeHypervisor(
      [someDomain({ name: "other", mark: "none", facts: { disks } })],
      [
        someVolume("web.qcow2"),
        someVolume("web.disk-data.qcow2"),
        someVolume("clone.qcow2", { backing: "/pool/web.disk-data.qcow2" }),
      ],
    );

    const { run, kept } = await destroy(driver, { purge: true });

    expect(kept).toEqual(["/pool/web.qcow2", "/pool/web.disk-data.qcow2"]);
    expect(driver.journal).toEqual([]);
    expect(run.events.filter(({ kind }) => kind === "note")).toMatchObject([
      { text: 'Kept /pool/web.qcow2: it is needed by domain "other"' },
      { text: expect.stringContaining('volume "clone.qcow2"') as unknown },
    ]);
  });

  it("is as wanted when nothing is there at all, not even its network or its pool", async () => {
    const driver = new FakeHypervisor();
    const elsewhere = {
      ...spec,
      pool: "ssd",
      networks: [someCard({ joins: { kind: "network", name: "gone" } })],
    };
    driver.pools.open = async () => {
      throw new Error("looking must not make a pool");
    };

    const { plan, outcome } = await destroy(driver, { purge: true, file: elsewhere });

    expect(isNothing(plan)).toBe(true);
    expect(outcome).toBe("nothing there");
  });
});
