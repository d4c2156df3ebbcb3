import { describe, expect, it } from "vitest";

import { deployHost, planHost } from "../../src/provisioner/deploy/deploy-host.ts";
import type { Mark } from "../../src/provisioner/libvirt/driver.ts";
import { thisProcess } from "../../src/provisioner/local/process-identity.ts";
import { alice, type Lab, leftIn, openLab } from "../support/fake-deployment.ts";
import { someMachine } from "../support/machine.ts";

const bob = { ...alice, name: "bob", sudo: false, groups: [] };
const usersOf = ({ hypervisor }: Lab) => hypervisor.domains.get("web")?.machine.mark?.host?.users;

/** Puts a domain of the host's name there. */
function place({ hypervisor }: Lab, mark: Mark | undefined): void {
  const machine = { ...someMachine({ name: "web", console: "/pools/default/web-console.log" }), mark };
  hypervisor.domains.set("web", { machine, accelerator: "tcg", autostart: false, state: "shut-off" });
}

/** The mark of a host that was never finished. */
function halfMade(owner: Mark["owner"]): Mark {
  const host = { pool: "default", hostKey: "k", fqdn: undefined, users: [], ready: false };
  const files = ["/pools/default/web.qcow2", "/pools/default/web.disk-data.qcow2"];
  return { role: "host", run: "r", pid: 1, files, host, ...(owner && { owner }) };
}

describe("a domain of the host's name", () => {
  it.each<[what: string, mark: Mark | undefined]>([
    ["is not ours", undefined],
    ["is a builder's", { role: "builder", run: "r", pid: 1, files: [] }],
  ])("that %s is left alone", async (_what, mark) => {
    const lab = await openLab();
    place(lab, mark);
    const before = lab.hypervisor.domains.get("web");

    for (const work of [deployHost, planHost])
      await expect(work(lab.deploy({}, { replace: true }))).rejects.toMatchObject({ code: "DOMAIN_FOREIGN" });

    expect(lab.hypervisor.domains.get("web")).toBe(before);
    expect(lab.hypervisor.disks.names()).toEqual([]);
  });

  it.each(["a dead process", "nobody"])(
    "that %s left half-made goes, and its extra disks stay",
    async (who) => {
      const lab = await openLab();
      const dead = { ...(await thisProcess()), started: "1" };
      place(lab, halfMade(who === "nobody" ? undefined : dead));
      const before = lab.hypervisor.domains.get("web")?.machine.uuid;
      for (const name of ["web.qcow2", "web.disk-data.qcow2"])
        await lab.hypervisor.disks.methods.create("default", { name, format: "qcow2", capacity: 1 });

      const done = await deployHost(lab.deploy());

      expect(done.machine).toBe("made");
      expect(lab.hypervisor.domains.get("web")?.machine.uuid).not.toBe(before);
      expect(leftIn(lab).volumes).toContain("web.disk-data.qcow2");
    },
  );

  it("that a living process is making is left to it", async () => {
    const lab = await openLab();
    const living = { ...(await thisProcess()), machine: "another" };
    place(lab, halfMade(living));

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({ code: "HOST_BEING_MADE", exitCode: 7 });

    expect(lab.hypervisor.calls.filter((call) => /undefine|remove|define/.test(call))).toEqual([]);
  });
});

describe("a disk of an earlier host", () => {
  const earlier = async () => {
    const lab = await openLab();
    await lab.hypervisor.disks.methods.create("default", { name: "web.qcow2", format: "qcow2", capacity: 1 });
    return lab;
  };

  it("is in the way", async () => {
    const lab = await earlier();

    await expect(deployHost(lab.deploy())).rejects.toMatchObject({ code: "DISK_IN_THE_WAY" });

    expect(leftIn(lab)).toMatchObject({ domains: [], volumes: ["web.qcow2"] });
  });

  it("is replaced where that is asked for", async () => {
    const lab = await earlier();

    expect(await deployHost(lab.deploy({}, { replace: true }))).toMatchObject({ machine: "made" });
  });
});

describe("users of a host", () => {
  it("come and go with its file, and whoever goes is written down until he is gone", async () => {
    const lab = await openLab();
    await deployHost(lab.deploy({ users: [alice, bob] }));
    const marks: unknown[] = [];
    lab.hypervisor.after = (call) => {
      if (call === "hosts.setMark web") marks.push(usersOf(lab));
    };

    const done = await deployHost(lab.deploy());

    expect(marks).toEqual([["alice", "bob"], ["alice"]]);
    expect(done.tasks.changed).toBe(1);
    expect([...lab.guests.systemOf("web").users.keys()]).not.toContain("bob");
    expect(lab.guests.systemOf("web").files.stat("/home/bob")).toBeDefined();
  });

  it("are written down once they are there, and not before", async () => {
    const lab = await openLab();
    await deployHost(lab.deploy());
    const marks: unknown[] = [];
    lab.hypervisor.before = (call) => {
      if (call === "fly") marks.push(usersOf(lab));
    };

    await deployHost(lab.deploy({ users: [alice, bob] }));

    expect(new Set(marks)).toEqual(new Set([["alice"]]));
    expect(usersOf(lab)).toEqual(["alice", "bob"]);
  });

  it("who are to go do so in the next deploy when this one fails", async () => {
    const lab = await openLab();
    await deployHost(lab.deploy({ users: [alice, bob] }));
    lab.hypervisor.failOnce((call) => call === "fly");

    await expect(deployHost(lab.deploy({ cpus: 4 }))).rejects.toThrow("as the test wants it");
    await deployHost(lab.deploy({ cpus: 4 }));

    expect([...lab.guests.systemOf("web").users.keys()]).not.toContain("bob");
    expect(usersOf(lab)).toEqual(["alice"]);
  });
});

describe("deployments at once", () => {
  it("of one host wait for each other: the second finds it as wanted", async () => {
    const lab = await openLab();

    const done = await Promise.all([deployHost(lab.deploy()), deployHost(lab.deploy())]);

    expect(done.map(({ machine }) => machine).toSorted()).toEqual(["as wanted", "made"]);
    expect(lab.events).toContainEqual(
      expect.objectContaining({
        kind: "note",
        text: expect.stringContaining("the deployment of web") as string,
      }),
    );
  });

  it("of two hosts send their image once", async () => {
    const lab = await openLab();
    const [card] = lab.deploy().spec.networks;
    if (card === undefined) throw new Error("no card");
    const mail = { name: "mail", networks: [{ ...card, mac: "52:54:00:00:00:09" }] };

    await Promise.all([deployHost(lab.deploy()), deployHost(lab.deploy(mail))]);

    const sent = lab.hypervisor.calls.filter((call) => call.endsWith(lab.image.path));
    expect(sent).toHaveLength(1);
    expect(leftIn(lab).domains.toSorted()).toEqual(["mail", "web"]);
  });
});
