import { dirname } from "node:path";

import type { Patient } from "./machine.ts";

/** What a check found. `limited`: provision works, but not as well as it could. */
export interface Probe {
  readonly state: "ok" | "missing" | "limited";
  readonly found: string;
}

/** One thing this machine needs. */
export interface Check {
  readonly name: string;
  readonly probe: (patient: Patient) => Promise<Probe>;
  /** Debian packages that bring it. */
  readonly packages?: readonly string[];
  /** A service or setting that has to follow, by name. */
  readonly service?: "libvirtd" | "network" | "group" | "kvm-device";
  readonly mend: string;
}

const OLDEST_NODE = [20, 19] as const;
const NEEDED_GIB = 12;
const FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SOCKET = "/run/libvirt/libvirt-sock";
const SYSTEM = "qemu:///system";
const FIX = "Run `provision doctor --fix`";
const SUBORDINATE = "Run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`";

/** Everything provision needs of this machine, in the order in which the mends build on each other. */
export const checks: readonly Check[] = [
  { name: "Node", probe: node, mend: `Install Node ${OLDEST_NODE.join(".")} or later` },
  program("QEMU", ["qemu-system-x86_64"], ["qemu-system-x86"]),
  program("disk images", ["qemu-img"], ["qemu-utils"]),
  file("UEFI firmware", FIRMWARE, ["ovmf"]),
  { name: "libvirt library", probe: library, packages: ["libvirt0"], mend: FIX },
  program("libvirt clients", ["virsh"], ["libvirt-clients"]),
  program("libvirt daemon", ["libvirtd", "virtlogd"], ["libvirt-daemon-system"]),
  program("network of guests", ["dnsmasq", "iptables"], ["dnsmasq-base", "iptables"]),
  { name: "AppArmor", probe: appArmor, packages: ["apparmor"], mend: FIX },
  program("bootstrap", ["mmdebstrap"], ["mmdebstrap"]),
  program(
    "file systems",
    ["mkfs.ext4", "debugfs", "mkfs.vfat", "mcopy"],
    ["e2fsprogs", "dosfstools", "mtools"],
  ),
  program("partitions", ["sfdisk"], ["fdisk"]),
  file("archive keys", KEYRING, ["debian-archive-keyring"]),
  { name: "user namespaces", probe: userNamespaces, packages: ["uidmap"], mend: SUBORDINATE },
  program("SSH", ["ssh", "ssh-keygen"], ["openssh-client"]),
  { name: "KVM device", probe: kvmDevice, service: "kvm-device", mend: FIX },
  { name: "libvirt answers", probe: answers, service: "libvirtd", mend: FIX },
  {
    name: "permission",
    probe: permission,
    service: "group",
    mend: "Log out and in again after `sudo usermod -aG libvirt $USER`",
  },
  { name: "network default", probe: network, service: "network", mend: FIX },
  {
    name: "disk space",
    probe: space,
    mend: "Free space, or set PROVISION_CACHE to a directory on a larger disk",
  },
  {
    name: "reach",
    probe: reach,
    mend: "Set PROVISION_CACHE to a directory that the hypervisor's user can reach: /var/cache/provision",
  },
  {
    name: "virtualisation",
    probe: virtualisation,
    mend: "Use a machine with /dev/kvm (nested virtualisation on, inside a VM); it works without",
  },
];

function program(name: string, programs: readonly string[], packages: readonly string[]): Check {
  return {
    name,
    packages,
    mend: FIX,
    async probe(patient) {
      const there = await Promise.all(programs.map((each) => patient.has(each)));
      const missing = programs.filter((_, index) => !there[index]);
      if (missing.length > 0) return { state: "missing", found: `no ${missing.join(", no ")}` };
      return { state: "ok", found: (await version(patient, programs[0])) ?? programs.join(", ") };
    },
  };
}

/** Only QEMU's own version matters to anybody who reads a bug report. */
async function version(patient: Patient, name: string | undefined): Promise<string | undefined> {
  if (name !== "qemu-system-x86_64") return undefined;
  return /version ([\d.]+)/.exec((await patient.ask(name, "--version")) ?? "")?.[1];
}

function file(name: string, path: string, packages: readonly string[]): Check {
  return {
    name,
    packages,
    mend: FIX,
    probe: async (patient) =>
      (await patient.exists(path)) ? { state: "ok", found: path } : { state: "missing", found: `no ${path}` },
  };
}

async function node({ nodeVersion }: Patient): Promise<Probe> {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const [oldMajor, oldMinor] = OLDEST_NODE;
  const enough = major > oldMajor || (major === oldMajor && minor >= oldMinor);
  return { state: enough ? "ok" : "missing", found: nodeVersion };
}

async function library(patient: Patient): Promise<Probe> {
  const known = (await patient.ask("/sbin/ldconfig", "-p")) ?? "";
  const path = /libvirt\.so\.0 .*=> (\S+)/.exec(known)?.[1];
  return path ? { state: "ok", found: path } : { state: "missing", found: "no libvirt.so.0" };
}

/** libvirt gives every guest a profile where the kernel has AppArmor on, and fails where it cannot load one. */
async function appArmor(patient: Patient): Promise<Probe> {
  const enabled = await patient.read("/sys/module/apparmor/parameters/enabled");
  if (enabled?.trim() !== "Y") return { state: "ok", found: "off in the kernel" };
  if (await patient.has("apparmor_parser")) return { state: "ok", found: "on" };
  return { state: "missing", found: "on in the kernel, no apparmor_parser" };
}

/** An ordinary user bootstraps as root of a user namespace. */
async function userNamespaces(patient: Patient): Promise<Probe> {
  if (patient.uid === 0) return { state: "ok", found: "not needed: root" };
  if (!(await patient.has("newuidmap"))) return { state: "missing", found: "no newuidmap" };
  const ranges = ((await patient.read("/etc/subuid")) ?? "").split("\n");
  const mine = ranges.find(
    (line) => line.startsWith(`${patient.user}:`) || line.startsWith(`${patient.uid}:`),
  );
  return mine
    ? { state: "ok", found: mine }
    : { state: "missing", found: `no ids for ${patient.user} in /etc/subuid` };
}

async function answers(patient: Patient): Promise<Probe> {
  // Not permitted is another check's word: the daemon is there.
  if ((await patient.exists(SOCKET)) && !(await patient.mayUse(SOCKET)))
    return { state: "ok", found: SOCKET };
  const told = await patient.ask("virsh", "--connect", SYSTEM, "uri");
  return told === undefined
    ? { state: "missing", found: `no answer on ${SYSTEM}` }
    : { state: "ok", found: SYSTEM };
}

async function permission(patient: Patient): Promise<Probe> {
  if (!(await patient.exists(SOCKET))) return { state: "missing", found: `no ${SOCKET}` };
  if (await patient.mayUse(SOCKET)) return { state: "ok", found: `${patient.user} may use ${SOCKET}` };
  return { state: "missing", found: `${patient.user} may not use ${SOCKET}` };
}

async function network(patient: Patient): Promise<Probe> {
  const told = await patient.ask("virsh", "--connect", SYSTEM, "net-info", "default");
  if (told === undefined) return { state: "missing", found: "not defined, or libvirt does not answer" };
  const is = (name: string) => new RegExp(`^${name}:\\s+yes$`, "m").test(told);
  if (!is("Active")) return { state: "missing", found: "defined, not active" };
  return is("Autostart")
    ? { state: "ok", found: "active" }
    : { state: "missing", found: "active, gone after a reboot" };
}

async function space(patient: Patient): Promise<Probe> {
  const free = await patient.freeGiB(patient.cacheDir);
  const found = `${free.toFixed(0)} GiB free in ${patient.cacheDir}`;
  return { state: free < NEEDED_GIB ? "missing" : "ok", found };
}

/** QEMU runs as a user of its own, and opens the images by their paths. */
async function reach(patient: Patient): Promise<Probe> {
  const closed = await firstClosed(patient, patient.cacheDir);
  return closed === undefined
    ? { state: "ok", found: patient.cacheDir }
    : { state: "missing", found: `"${closed}" lets nobody through but its owner` };
}

async function firstClosed(patient: Patient, directory: string): Promise<string | undefined> {
  if (!(await patient.isOpen(directory))) return directory;
  return directory === dirname(directory) ? undefined : firstClosed(patient, dirname(directory));
}

/** /dev/kvm alone proves nothing: inside many virtual machines it opens and runs no guest. */
/**
 * Where no udev sets its mode, /dev/kvm is root's alone. libvirt then probes QEMU as somebody who may open it, checks
 * the result as libvirt-qemu, who may not, and throws it away: every start of a guest probes again, for a minute.
 */
async function kvmDevice(patient: Patient): Promise<Probe> {
  if (!(await patient.exists("/dev/kvm"))) return { state: "ok", found: "there is none" };
  const [mode = "", group = ""] = ((await patient.ask("stat", "-c", "%a %G", "/dev/kvm")) ?? "")
    .trim()
    .split(" ");
  const isOpen = /^\d*6\d$/.test(mode) && group === "kvm";
  const found = `/dev/kvm is ${mode}, group ${group}`;
  return isOpen || mode.endsWith("6")
    ? { state: "ok", found }
    : { state: "missing", found: `${found}: guests start slowly` };
}

async function virtualisation(patient: Patient): Promise<Probe> {
  if (!(await patient.exists("/dev/kvm"))) return slow("no /dev/kvm");
  const flags = (await patient.read("/proc/cpuinfo")) ?? "";
  if (!/^flags\s*:.*\b(vmx|svm)\b/m.test(flags))
    return slow("/dev/kvm is there, the processor has no vmx or svm");
  return { state: "ok", found: "KVM" };
}

function slow(why: string): Probe {
  return { state: "limited", found: `TCG: guests run several times slower (${why})` };
}
