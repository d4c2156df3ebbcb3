import { expect, it } from "vitest";

import { doctor, type Finding } from "../../src/provisioner/doctor/doctor.ts";
import { fakePatient } from "../support/fake-patient.ts";
import { recordedRun } from "../support/recorded-run.ts";

const look = { fix: false, yes: false, cacheDir: "/var/cache/provision" };
const fixAll = { ...look, fix: true, yes: true };
const NETWORK = "virsh --connect qemu:///system net-info default";
const ANSWERS = "virsh --connect qemu:///system uri";

function find(findings: readonly Finding[], name: string): Finding | undefined {
  return findings.find((finding) => finding.name === name);
}

it("finds nothing to mend on a machine that has everything", async () => {
  const findings = await doctor(recordedRun().run, look, fakePatient());

  expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(findings.filter(({ mend }) => mend !== undefined)).toEqual([]);
  expect(find(findings, "QEMU")?.found).toBe("7.2.22");
});

it("changes nothing when it is only asked to look", async () => {
  const fake = fakePatient();
  fake.missing.programs.add("mmdebstrap");

  const findings = await doctor(recordedRun().run, look, fake);

  expect(find(findings, "bootstrap")).toMatchObject({
    state: "missing",
    found: "no mmdebstrap",
    fixed: false,
  });
  expect(fake.journal).toEqual([]);
});

it("installs all that is missing in one go, then starts what follows, then looks again", async () => {
  const fake = fakePatient({ says: { [NETWORK]: undefined, [ANSWERS]: undefined } });
  for (const name of ["mmdebstrap", "mcopy", "libvirtd"]) fake.missing.programs.add(name);

  const findings = await doctor(recordedRun().run, fixAll, fake);

  expect(fake.journal).toEqual([
    "install dosfstools e2fsprogs libvirt-daemon-system mmdebstrap mtools",
    "start libvirtd",
  ]);
  expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(find(findings, "libvirt answers")).toMatchObject({ state: "ok", fixed: true });
});

it("starts a network that is off, and installs nothing for it", async () => {
  const fake = fakePatient({ says: { [NETWORK]: "Active:         no\nAutostart:      yes\n" } });

  await doctor(recordedRun().run, fixAll, fake);

  expect(fake.journal).toEqual(["start network"]);
});

it("does nothing on a healthy machine however often it is asked to fix", async () => {
  const fake = fakePatient();

  await doctor(recordedRun().run, fixAll, fake);

  expect(fake.journal).toEqual([]);
});

it("asks before it changes anything, and leaves it when the answer is no", async () => {
  const fake = fakePatient({ says: { [NETWORK]: undefined } });
  fake.missing.programs.add("mmdebstrap");
  const asked: string[] = [];
  const confirm = async (question: string) => {
    asked.push(question);
    return false;
  };

  const findings = await doctor(recordedRun().run, { ...fixAll, yes: false, confirm }, fake);

  expect(asked).toEqual(["install mmdebstrap; put right: network default"]);
  expect(fake.journal).toEqual([]);
  expect(find(findings, "bootstrap")?.mend).toBe("Run `provision doctor --fix`");
});

it("says what is still missing when a fix did not help", async () => {
  const fake = fakePatient({ freeGiB: async () => 3 });

  const findings = await doctor(recordedRun().run, fixAll, fake);

  expect(find(findings, "disk space")).toMatchObject({
    state: "missing",
    found: "3 GiB free in /var/cache/provision",
    fixed: false,
    mend: expect.stringContaining("PROVISION_CACHE") as string,
  });
});
