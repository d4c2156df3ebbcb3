import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { HostFlags } from "../../../src/provisioner/cli/hosts/choose-hosts.ts";
import { findHosts } from "../../../src/provisioner/cli/hosts/find-hosts.ts";
import { FakeHypervisor, fakeHypervisors, someDomain } from "../../support/fake-hypervisor.ts";
import { writeHosts } from "../../support/host-project.ts";

let root = "";
let env: Readonly<Record<string, string>> = {};
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "provision-find-"));
  env = await writeHosts(root, {
    db: "labels: { role: server, site: home }\nhypervisor: qemu+ssh://far/system\n",
    mail: "labels: { role: server, site: work }\n",
    web: "labels: { role: desk }\n",
  });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const here = "qemu:///system";
const far = "qemu+ssh://far/system";
const hypervisors = (near: readonly string[] = [], away: readonly string[] = []) =>
  fakeHypervisors(
    new FakeHypervisor(near.map((name) => someDomain({ name })), [], here),
    new FakeHypervisor(away.map((name) => someDomain({ name })), [], far),
  );

async function find(
  names: readonly string[],
  flags: HostFlags = {},
  at: ReturnType<typeof fakeHypervisors> = hypervisors(),
): Promise<readonly string[]> {
  const hosts = await findHosts(names, flags, { env, cwd: root }, at);
  return hosts.map(({ name, uri, loaded }) => `${name} ${uri}${loaded === undefined ? " without a file" : ""}`);
}

describe("hosts with a file", () => {
  it("are found by name, in the order they were named, each once, where their file says", async () => {
    expect(await find(["web", "db", "web"])).toEqual([`web ${here}`, `db ${far}`]);
  });

  it("are where --connect or PROVISION_LIBVIRT says when their file says nothing", async () => {
    expect(await find(["web", "db"], { connect: "test:///default" })).toEqual(["web test:///default", `db ${far}`]);
    env = { ...env, PROVISION_LIBVIRT: "qemu:///session" };
    expect(await find(["web"])).toEqual(["web qemu:///session"]);
  });

  it("are named by path too", async () => {
    expect(await find([join(root, "hosts/web.yaml")])).toEqual([`web ${here}`]);
  });

  it("are all of hosts/ with --all", async () => {
    expect(await find([], { all: true })).toEqual([`db ${far}`, `mail ${here}`, `web ${here}`]);
  });

  it.each([
    [["role=server"], ["db", "mail"]],
    [["role=server", "site=work"], ["mail"]],
    [["role!=server"], ["web"]],
    [["site!=home"], ["mail", "web"]],
  ])("are chosen by %j", async (limit, names) => {
    expect((await find([], { limit })).map((line) => line.split(" ")[0])).toEqual(names);
  });

  it("are limited among those that were named", async () => {
    expect(await find(["web", "mail"], { limit: ["role=server"] })).toEqual([`mail ${here}`]);
  });

  it.each([
    [[], {}, "which hosts are meant", "db, mail, web"],
    [["web"], { all: true }, "--all beside names", "Leave out --all"],
    [[], { limit: ["role"] }, "must be label=value", "--limit role=server"],
    [[], { limit: ["rle=server"] }, 'the label "rle"', 'Name "role"'],
    [[], { limit: ["role=cook"] }, "one at least must fit", "Correct the limit"],
  ] as const)("%j with %j are refused", async (names, flags, what, mend) => {
    await expect(find(names, flags)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(what) as unknown,
      mend: expect.stringContaining(mend) as unknown,
    });
  });
});

describe("hosts without a file", () => {
  it("are found where they are deployed, between the others", async () => {
    expect(await find(["web", "old", "db"], {}, hypervisors(["mine"], ["old"]))).toEqual([
      `web ${here}`,
      `old ${far} without a file`,
      `db ${far}`,
    ]);
  });

  it("that mean nothing are an error that names the nearest, deployed ones among them", async () => {
    await expect(find(["olt"], {}, hypervisors(["old"]))).rejects.toMatchObject({ mend: 'Name "old"' });
    await expect(find(["wep"])).rejects.toMatchObject({ code: "USAGE", mend: 'Name "web"' });
  });

  it("may be on a hypervisor that does not answer", async () => {
    const near = fakeHypervisors(new FakeHypervisor([someDomain({ name: "old" })], [], here));

    expect(await find(["old"], {}, near)).toEqual([`old ${here} without a file`]);
    await expect(find(["gone"], {}, near)).rejects.toMatchObject({ code: "LIBVIRT_DOWN" });
  });

  it("that are at two hypervisors must be told apart", async () => {
    const both = hypervisors(["old"], ["old"]);

    await expect(find(["old"], {}, both)).rejects.toMatchObject({ code: "USAGE", mend: expect.stringContaining("--connect") as unknown });
    expect(await find(["old"], { connect: far }, both)).toEqual([`old ${far} without a file`]);
  });

  it("that have the name of a foreign domain are found, for what comes next to refuse", async () => {
    const at = fakeHypervisors(
      new FakeHypervisor([someDomain({ name: "theirs", mark: "none" })], [], here),
      new FakeHypervisor([], [], far),
    );

    expect(await find(["theirs"], {}, at)).toEqual([`theirs ${here} without a file`]);
  });
});
