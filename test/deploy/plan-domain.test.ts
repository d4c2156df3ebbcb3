import { describe, expect, it } from "vitest";

import { hostMachine } from "../../src/provisioner/deploy/host-machine.ts";
import { planDomain } from "../../src/provisioner/deploy/plan-domain.ts";
import type { FoundHost, WantedDomain } from "../../src/provisioner/deploy/plan-domain.ts";
import { domainXml, readDomainXml } from "../../src/provisioner/libvirt/domain-xml.ts";
import type { Mark } from "../../src/provisioner/libvirt/driver.ts";
import type { HostSpec } from "../../src/provisioner/spec/host-spec.ts";
import { someCard, someHost } from "../support/some-host.ts";
import { renderStrict } from "../support/strict-templates.ts";

const origin = { image: "base@20260131-0a1b2c3d", sha256: "a".repeat(64), mode: "overlay" } as const;
const mark: Mark = { role: "host", run: "r", pid: 1, files: [], origin };

function machineOf(changes: Partial<HostSpec> = {}) {
  const spec = someHost({ networks: [someCard()], extraDisks: [{ name: "data", sizeGiB: 1 }], ...changes });
  return hostMachine(spec, {
    uuid: "7b0f9c3e-2f0a-4a86-9d6b-3f1f3b0a5c11",
    disk: "/pool/web.qcow2",
    extraDisks: new Map(spec.extraDisks.map(({ name }) => [name, `/pool/${name}.qcow2`])),
    seed: "/pool/web-seed.img",
    console: "/log/web.log",
    mark,
  });
}

/** What is wanted of a host, by its spec. */
function wanted(changes: Partial<HostSpec> = {}, more: Partial<WantedDomain> = {}): WantedDomain {
  return { machine: machineOf(changes), autostart: true, origin, diskGiB: undefined, ...more };
}

/** A running host as libvirt tells of it. */
function found(changes: Partial<FoundHost> = {}): FoundHost {
  const facts = readDomainXml(domainXml(machineOf(), "kvm", renderStrict));
  return { state: "running", mark, facts, autostart: true, diskGiB: 8, ...changes };
}

function changesOf(want: WantedDomain, there: FoundHost = found()): readonly string[] {
  const plan = planDomain(want, there);
  if (plan.kind !== "change") throw new Error(`the plan is ${plan.kind}`);
  return plan.changes.map(({ what, from, to, how }) => `${what}: ${from} -> ${to}, ${how}`);
}

describe("planDomain", () => {
  it("creates what is not there", () => {
    expect(planDomain(wanted(), undefined)).toEqual({ kind: "create" });
  });

  it.each<[what: string, mark: Mark | undefined]>([
    ["without our mark", undefined],
    ["of a build", { ...mark, role: "builder" }],
    ["of a scratch machine", { ...mark, role: "scratch" }],
  ])("keeps its hands off a domain %s", (_what, other) => {
    expect(planDomain(wanted({ cpus: 9 }), found({ mark: other }))).toEqual({ kind: "foreign" });
  });

  it("changes nothing of what is as wanted", () => {
    expect(planDomain(wanted(), found())).toEqual({ kind: "change", changes: [], loses: [] });
    expect(changesOf(wanted({}, { diskGiB: 8 }))).toEqual([]);
  });

  it.each<[what: string, want: WantedDomain, change: string]>([
    ["more processors", wanted({ cpus: 4 }), "processors: 2 -> 4, restart"],
    ["less memory", wanted({ memoryMiB: 1024 }), "memory: 2048 MiB -> 1024 MiB, restart"],
    ["no start with its hypervisor", wanted({}, { autostart: false }), "autostart: on -> off, at once"],
    ["a larger disk", wanted({}, { diskGiB: 9 }), "disk: 8 GiB -> 9 GiB, restart"],
    ["a smaller disk", wanted({}, { diskGiB: 7 }), "disk: 8 GiB -> 7 GiB, replace"],
    ["no extra disk", wanted({ extraDisks: [] }), "extra disk: /pool/data.qcow2 -> none, restart"],
    ["a device", wanted({ gpus: ["0000:01:00.0"] }), "PCI device: none -> 0000:01:00.0, restart"],
    [
      "a disk of its own",
      wanted({}, { origin: { ...origin, mode: "copy" } }),
      "disk mode: overlay -> copy, replace",
    ],
    [
      "another image",
      wanted({}, { origin: { ...origin, image: "full@20260201-00000000", sha256: "b".repeat(64) } }),
      "image: base@20260131-0a1b2c3d -> full@20260201-00000000, replace",
    ],
  ])("says what it takes to have %s", (_what, want, change) => {
    expect(changesOf(want)).toEqual([change]);
  });

  it("takes one image by two names for one", () => {
    expect(changesOf(wanted({}, { origin: { ...origin, image: "./copy.qcow2" } }))).toEqual([]);
  });

  it("makes a disk anew whose origin nobody knows", () => {
    const { origin: _, ...without } = mark;

    expect(changesOf(wanted(), found({ mark: without }))).toEqual([
      "image: unknown -> base@20260131-0a1b2c3d, replace",
      "disk mode: unknown -> overlay, replace",
    ]);
  });

  it("moves a card to where it is to be", () => {
    const bridged = wanted({ networks: [someCard({ joins: { kind: "bridge", name: "br0" } })] });

    expect(changesOf(bridged)).toEqual([
      "network card: 52:54:00:00:00:01 on network default -> none, restart",
      "network card: none -> 52:54:00:00:00:01 on bridge br0, restart",
    ]);
  });

  it.each([
    ["running", "restart"],
    ["paused", "restart"],
    ["other", "restart"],
    ["shut-off", "at once"],
    ["crashed", "at once"],
  ] as const)("changes one that is %s: %s", (state, how) => {
    const want = wanted({ cpus: 4, networks: [] }, { diskGiB: 9 });

    const plan = planDomain(want, found({ state }));
    const settings = plan.kind === "change" ? plan.changes.filter(({ what }) => what !== "power") : [];

    expect(settings.map((change) => change.how)).toEqual([how, how, how]);
  });

  it("starts one that is off", () => {
    expect(changesOf(wanted(), found({ state: "shut-off" }))).toEqual(["power: off -> on, at once"]);
  });

  it("moves no disk to another pool, and gives no host another full name, without replacing it", () => {
    const host = { pool: "default", hostKey: "k", fqdn: undefined, users: [], ready: true };
    const want = wanted();
    const other = { ...want.machine.mark, host: { ...host, pool: "ssd", fqdn: "web.lan" } };
    const there = found({ mark: { ...mark, host } });

    expect(changesOf({ ...want, machine: { ...want.machine, mark: other } }, there)).toEqual([
      "pool: default -> ssd, replace",
      "full name: none -> web.lan, replace",
    ]);
  });

  it("says what is lost when the system's disk is made anew, and nothing else", () => {
    const loses = (want: WantedDomain) => {
      const plan = planDomain(want, found());
      return plan.kind === "change" ? plan.loses : [];
    };

    expect(loses(wanted({}, { diskGiB: 7 }))).toEqual([
      "everything on the system's disk of web, with /home and /var/lib where no extra disk holds them",
    ]);
    expect(loses(wanted({ cpus: 4 }))).toEqual([]);
  });
});
