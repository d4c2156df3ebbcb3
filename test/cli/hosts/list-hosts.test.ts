import { describe, expect, it } from "vitest";

import { hostTable } from "../../../src/provisioner/cli/hosts/host-table.ts";
import { type HostList, listHosts } from "../../../src/provisioner/cli/hosts/list-hosts.ts";
import { FakeHypervisor, fakeHypervisors, someDomain } from "../../support/fake-hypervisor.ts";
import { someHost } from "../../support/some-host.ts";

const here = "qemu:///system";
const far = "qemu+ssh://far/system";

function list(
  hypervisors: readonly FakeHypervisor[],
  { files = [] as readonly ReturnType<typeof someHost>[], isOptional = false } = {},
): Promise<HostList> {
  return listHosts({
    files: files.map((spec) => ({ spec })),
    usual: here,
    isOptional,
    hypervisors: fakeHypervisors(...hypervisors),
    images: [
      {
        name: "base",
        version: "20260201-bb",
        latest: true,
        manifest: { built: { at: "2026-02-01T00:00:00Z" }, image: { sha256: "b".repeat(64) } },
      },
    ],
    now: () => 0,
  });
}

describe("listHosts", () => {
  it("lists what is deployed, wherever, and what is not", async () => {
    const near = new FakeHypervisor(
      [
        someDomain({ host: { ready: false } }),
        someDomain({ name: "theirs", mark: "none" }),
        someDomain({ name: "gone", state: "shut-off", autostart: false, host: { users: [] } }),
      ],
      [],
      here,
    );
    const away = new FakeHypervisor([someDomain({ name: "db", mark: { origin: undefined } as never })], [], far);
    const files = [
      someHost({ name: "web" }),
      someHost({ name: "db", hypervisor: far }),
      someHost({ name: "theirs" }),
      someHost({ name: "new", hypervisor: far }),
    ];

    const { hosts, unreachable } = await list([near, away], { files });

    expect(unreachable).toEqual([]);
    const rows = hostTable(hosts).split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));
    const image = "base@20260101-aa (newer: 20260201-bb)";
    expect(rows).toEqual([
      "NAME | STATE | ADDRESS | IMAGE | CPUS | MEMORY | AUTOSTART | HYPERVISOR | USERS",
      `db | running | 192.0.2.1 | - | 2 | 2048 MiB | yes | ${far} | alice`,
      `gone | off | - | ${image} | 2 | 2048 MiB | no | ${here} | -`,
      `new | not deployed | - | - | - | - | - | ${far} | -`,
      `theirs | name taken | - | - | - | - | - | ${here} | -`,
      `web | running, unfinished | 192.0.2.1 | ${image} | 2 | 2048 MiB | yes | ${here} | alice`,
    ]);
  });

  it("goes on without a hypervisor that does not answer", async () => {
    const files = [someHost({ name: "web" }), someHost({ name: "db", hypervisor: far })];

    const { hosts, unreachable } = await list([new FakeHypervisor([someDomain()], [], here)], { files });

    expect(hosts.map(({ name, state }) => `${name} ${state}`)).toEqual(["db unknown", "web running"]);
    expect(unreachable).toMatchObject([{ hypervisor: far, error: { code: "LIBVIRT_DOWN" } }]);
  });

  it("passes over this machine's own when it is not there and nobody needs it", async () => {
    const files = [someHost({ name: "db", hypervisor: far })];
    const away = new FakeHypervisor([someDomain({ name: "db" })], [], far);

    const needed = await list([away], { files });
    const passedOver = await list([away], { files, isOptional: true });

    expect(needed.unreachable).toHaveLength(1);
    expect(passedOver.unreachable).toEqual([]);
    expect(passedOver.hosts.map(({ name }) => name)).toEqual(["db"]);
  });

  it("says when nobody could be asked for an address", async () => {
    const near = new FakeHypervisor([someDomain()], [], here);
    near.guest = { addresses: () => Promise.reject(new Error("the agent hangs")) };

    const { hosts } = await list([near]);

    expect(hostTable(hosts)).toMatch(/web {3}running {2}\? /);
  });

  it("shows no control characters of what a hypervisor says", async () => {
    const near = new FakeHypervisor([someDomain({ host: { users: ["\u001b[31mred", "a\u202eb"] } })], [], here);

    expect(hostTable((await list([near])).hosts)).toMatch(/red,ab$/);
  });
});
