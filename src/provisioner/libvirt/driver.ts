import type { Run } from "../core/run.ts";
import type { ProcessIdentity } from "../local/process-identity.ts";

/** What runs a guest: the processor's own virtualisation, or QEMU's emulation. */
export type Accelerator = "kvm" | "tcg";

/** A disk of a machine. `path` is absolute and a file: AppArmor's helper does not follow volumes. */
export interface Disk {
  readonly path: string;
  readonly format: "qcow2" | "raw";
  /** For throw-away guests: `unsafe` never waits for the host's disk. */
  readonly cache?: "unsafe" | "none";
  readonly readOnly?: boolean;
  /** The guest finds it by this: /dev/disk/by-id/virtio-<serial>; 20 characters at most. */
  readonly serial?: string;
}

/** A network card of a machine: on one of libvirt's networks, or on a bridge of the hypervisor. */
export type NetworkCard = { readonly mac: string } & (
  | { readonly network: string }
  | { readonly bridge: string }
);

/** Who a domain belongs to; kept in its `<metadata>`, written down before anything is created. */
export interface Mark {
  /** What it is for: a builder, a verification, a probe, a scratch machine, a deployed host. */
  readonly role: "builder" | "verify" | "probe" | "scratch" | "host";
  /** The run that made it. */
  readonly run: string;
  /** Process that owns it while it is throw-away; `gc` removes what a dead process left. */
  readonly pid: number;
  /** Files to delete with it: absolute paths. A folder in it goes when it is empty by then. */
  readonly files: readonly string[];
  /** Tells `pid` from a later process of the same number, and this machine from another; the driver fills it in. */
  readonly owner?: ProcessIdentity;
  /**
   * The file by which later runs find it: it outlives the run that made it. `gc` leaves it as long as that file leads
   * to it.
   */
  readonly kept?: string;
  /** What a deployed host's system disk was made from. */
  readonly origin?: DiskOrigin;
  /** What is known of a deployed host. */
  readonly host?: HostMark;
}

/** What is written down of a deployed host, so that whoever reaches its hypervisor can look after it. */
export interface HostMark {
  /** libvirt's pool of its disks. */
  readonly pool: string;
  /** The key it proves itself with: type and blob. */
  readonly hostKey: string;
  readonly fqdn: string | undefined;
  /** Who may log in. */
  readonly users: readonly string[];
  /** It was reached, and cloud-init has made it what it is. Until then its maker may throw it away. */
  readonly ready: boolean;
}

/** What a disk was made from, and how. */
export interface DiskOrigin {
  /** For people: base@20260131-0a1b2c3d, or a path. */
  readonly image: string;
  /** Of the image's file, lower-case hex. */
  readonly sha256: string;
  readonly mode: "overlay" | "copy";
}

/** A virtual machine to be. */
export interface Machine {
  readonly name: string;
  readonly uuid: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly disks: readonly Disk[];
  /** NoCloud seed, attached as a virtio disk; Debian's cloud kernel has no AHCI. */
  readonly seed: string | undefined;
  /** None for a guest that talks to nobody. */
  readonly cards: readonly NetworkCard[];
  /** PCI devices of the hypervisor that are handed through whole: 0000:01:00.0. */
  readonly pciDevices?: readonly string[];
  /** EFI when left out; BIOS is for guests of a few bytes. */
  readonly firmware?: "efi" | "bios";
  /** Where the serial console is written; a pty without a reader would stall the guest. */
  readonly console: string;
  readonly mark: Mark;
}

/** What is remembered of a machine that is kept. */
export interface KnownMachine {
  readonly name: string;
  readonly uuid: string;
  readonly macs: readonly string[];
  readonly console: string;
}

/** A domain with provision's mark. */
export interface OwnedDomain {
  readonly name: string;
  readonly uuid: string;
  readonly state: DomainState;
  readonly mark: Mark;
}

export type DomainState = "running" | "paused" | "shut-off" | "crashed" | "other";

/** An address somebody says the guest has; no sign of life (leases outlive guests). */
export interface Address {
  readonly address: string;
  readonly source: "lease" | "agent" | "arp";
}

/** What the product needs of a hypervisor. Times out by itself: no call waits for ever. */
export interface Driver extends AsyncDisposable {
  readonly uri: string;
  /** KVM when a probe guest really runs under it; asked once, remembered on this machine. */
  accelerator(run: Run): Promise<Accelerator>;
  /**
   * Asked with what ended a boot: true when KVM stopped that guest, and guests run under TCG from now on. Never where
   * KVM was the user's own wish.
   */
  fallsBack(error: unknown, run: Run): Promise<boolean>;
  /** Starts the network when it is off; a missing one is an error with the mend. */
  startNetwork(name: string): Promise<void>;
  /** Defines and starts; disposing removes it: power off, domain, NVRAM and the mark's files. */
  boot(machine: Machine, run: Run): Promise<Guest>;
  /** A domain that an earlier run kept; `undefined` when there is none of this UUID with our mark. */
  adopt(machine: KnownMachine, run: Run): Promise<Guest | undefined>;
  owned(): Promise<readonly OwnedDomain[]>;
  /** Powers off, undefines with NVRAM, managed save and snapshots, deletes the mark's files. Idempotent. */
  remove(domain: Pick<OwnedDomain, "uuid" | "mark">): Promise<void>;
}

/** A domain that was booted. */
export interface Guest extends AsyncDisposable {
  readonly name: string;
  readonly uuid: string;
  readonly accelerator: Accelerator;
  state(): Promise<DomainState>;
  /** Why the guest cannot go on, for people: "crashed"; `undefined` while it runs. */
  trouble(): Promise<string | undefined>;
  addresses(): Promise<readonly Address[]>;
  /**
   * Waits until the guest has powered itself off; `false` when the deadline passed. Rejects with GUEST_DIED when it
   * ended any other way: what is on its disk then is not what a clean shutdown leaves.
   */
  waitForOff(deadlineMs: number, run: Run): Promise<boolean>;
  /** Asks by ACPI, waits, then pulls the plug: `false` when it came to that. */
  shutDown(run: Run): Promise<boolean>;
  /** Pulls the plug; the definition stays. */
  powerOff(): Promise<void>;
  /** Stops the guest and writes its memory to a file, which belongs to its mark from then on. */
  saveMemory(path: string): Promise<void>;
  /** Goes on from such a file. Its disks must be as they were; its clock stands where it was saved. */
  restoreMemory(path: string): Promise<void>;
  /** Cold start of a guest that is off. */
  start(run: Run): Promise<void>;
  /** Last lines of the serial console, cleaned. */
  consoleTail(lines?: number): Promise<string>;
  /** Bytes on the serial console so far: a sign of life while booting. */
  consoleSize(): Promise<number>;
  /** Leaves it running when disposed: `--keep-on-error`. */
  keep(): void;
}
