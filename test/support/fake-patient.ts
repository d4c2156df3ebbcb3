import type { Treatment } from "../../src/provisioner/doctor/doctor.ts";
import type { Patient } from "../../src/provisioner/doctor/machine.ts";

/** A machine in memory, healthy unless told otherwise. */
export interface FakePatient {
  readonly patient: Patient;
  readonly treatment: Treatment;
  /** What was done to it, in order. */
  readonly journal: string[];
  readonly missing: { readonly programs: Set<string>; readonly files: Set<string> };
}

const answers: Readonly<Record<string, string>> = {
  "qemu-system-x86_64 --version": "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright …",
  "/sbin/ldconfig -p": "\tlibvirt.so.0 (libc6,x86-64) => /lib/x86_64-linux-gnu/libvirt.so.0\n",
  "stat -c %a %G /dev/kvm": "660 kvm\n",
  "virsh --connect qemu:///system uri": "qemu:///system\n",
  "virsh --connect qemu:///system net-info default":
    "Name:           default\nUUID:           8b1c\nActive:         yes\nPersistent:     yes\nAutostart:      yes\nBridge:         virbr0\n",
};

/** Makes one; `says` replaces what programs print, `undefined` makes them fail. */
export function fakePatient(
  change: Partial<Patient> & { readonly says?: Readonly<Record<string, string | undefined>> } = {},
): FakePatient {
  const { says: changed, ...rest } = change;
  const says: Record<string, string | undefined> = { ...answers, ...changed };
  const missing = { programs: new Set<string>(), files: new Set<string>() };
  const journal: string[] = [];
  const texts: Readonly<Record<string, string>> = {
    "/sys/module/apparmor/parameters/enabled": "Y\n",
    "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vmx sse\n",
    "/etc/subuid": "sam:100000:65536\n",
  };
  const patient: Patient = {
    user: "root",
    uid: 0,
    nodeVersion: "20.19.0",
    cacheDir: "/var/cache/provision",
    ask: async (...argv) => says[argv.join(" ")],
    has: async (program) => !missing.programs.has(program),
    exists: async (path) => !missing.files.has(path),
    mayUse: async (path) => !missing.files.has(path),
    read: async (path) => (missing.files.has(path) ? undefined : texts[path]),
    freeGiB: async () => 80,
    isOpen: async () => true,
    ...rest,
  };
  return {
    patient,
    journal,
    missing,
    treatment: {
      install: async (packages) => {
        journal.push(`install ${packages.join(" ")}`);
        missing.programs.clear();
        missing.files.clear();
      },
      start: async (service) => {
        journal.push(`start ${service}`);
        Object.assign(says, answers);
      },
    },
  };
}
