import { expect, it } from "vitest";

import { checks } from "../../src/provisioner/doctor/checks.ts";
import type { Patient } from "../../src/provisioner/doctor/machine.ts";
import { fakePatient } from "../support/fake-patient.ts";

type Change = NonNullable<Parameters<typeof fakePatient>[0]>;

async function probe(name: string, change: Change, missing: readonly string[] = []) {
  const fake = fakePatient(change);
  for (const path of missing) {
    fake.missing.files.add(path);
    fake.missing.programs.add(path);
  }
  return checks.find((check) => check.name === name)?.probe(fake.patient);
}

const sam: Pick<Patient, "user" | "uid"> = { user: "sam", uid: 1000 };
const SOCKET = "/run/libvirt/libvirt-sock";

it.each<[name: string, change: Change, missing: string[], state: string, found: RegExp]>([
  ["Node", { nodeVersion: "20.18.3" }, [], "missing", /20\.18\.3/],
  ["Node", { nodeVersion: "22.1.0" }, [], "ok", /22/],
  ["QEMU", {}, ["qemu-system-x86_64"], "missing", /no qemu-system-x86_64/],
  ["UEFI firmware", {}, ["/usr/share/OVMF/OVMF_CODE_4M.fd"], "missing", /OVMF/],
  ["libvirt library", { says: { "/sbin/ldconfig -p": "" } }, [], "missing", /libvirt\.so\.0/],
  ["file systems", {}, ["mcopy", "debugfs"], "missing", /no debugfs, no mcopy/],
  ["AppArmor", {}, ["apparmor_parser"], "missing", /no apparmor_parser/],
  ["AppArmor", {}, ["/sys/module/apparmor/parameters/enabled", "apparmor_parser"], "ok", /off/],
  ["user namespaces", {}, ["newuidmap"], "ok", /root/],
  ["user namespaces", { ...sam }, ["newuidmap"], "missing", /newuidmap/],
  ["user namespaces", { user: "kim", uid: 1001 }, [], "missing", /no ids for kim/],
  ["user namespaces", { ...sam }, [], "ok", /sam:100000/],
  [
    "libvirt answers",
    { says: { "virsh --connect qemu:///system uri": undefined } },
    [],
    "missing",
    /no answer/,
  ],
  ["permission", { ...sam, mayUse: async (path) => path !== SOCKET }, [], "missing", /sam may not use/],
  ["permission", {}, [SOCKET], "missing", /no \/run/],
  [
    "network default",
    {
      says: {
        "virsh --connect qemu:///system net-info default": "Active:         yes\nAutostart:      no\n",
      },
    },
    [],
    "missing",
    /gone after a reboot/,
  ],
  ["disk space", { freeGiB: async () => 11 }, [], "missing", /11 GiB/],
  ["reach", { isOpen: async (path) => path !== "/var/cache" }, [], "missing", /"\/var\/cache"/],
  ["KVM device", {}, [], "ok", /660, group kvm/],
  [
    "KVM device",
    { says: { "stat -c %a %G /dev/kvm": "600 root\n" } },
    [],
    "missing",
    /600, group root: guests start slowly/,
  ],
  ["KVM device", { says: { "stat -c %a %G /dev/kvm": "666 root\n" } }, [], "ok", /666/],
  ["KVM device", {}, ["/dev/kvm"], "ok", /there is none/],
  ["virtualisation", {}, [], "ok", /KVM/],
  ["virtualisation", {}, ["/dev/kvm"], "limited", /TCG.*no \/dev\/kvm/],
  ["virtualisation", {}, ["/proc/cpuinfo"], "limited", /TCG.*no vmx or svm/],
])("checks %s: %j without %j is %s", async (name, change, missing, state, found) => {
  expect(await probe(name, change, missing)).toMatchObject({
    state,
    found: expect.stringMatching(found) as string,
  });
});

it("says how to mend every check", () => {
  expect(checks.filter(({ mend }) => mend === "")).toEqual([]);
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
});
