import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { until } from "../core/until.ts";
import { program } from "../local/program.ts";
import type { Check } from "./checks.ts";
import type { Patient } from "./machine.ts";

/** What starting a service gets. */
interface ServiceContext {
  readonly patient: Patient;
  /** Goes before commands that need root. */
  readonly prefix: readonly string[];
  readonly run: Run;
}

/** Brings up what libvirt needs, with systemd or without. */
export async function startService(
  service: NonNullable<Check["service"]>,
  context: ServiceContext,
): Promise<void> {
  switch (service) {
    case "libvirtd":
      return startDaemon(context);
    case "network":
      return startNetwork(context);
    case "group":
      return joinGroup(context);
    case "kvm-device":
      return openKvm(context);
    default:
      return service satisfies never;
  }
}

async function startDaemon({ patient, prefix, run }: ServiceContext): Promise<void> {
  const root = (...argv: string[]) => program(asRoot(prefix, argv), { run });
  if (await patient.exists("/run/systemd/system")) {
    await root("systemctl", "enable", "--now", "virtlogd.socket", "libvirtd.service");
  } else {
    // The log daemon first: libvirtd hands it the consoles of guests. Each forks when it is ready.
    if ((await patient.ask("pidof", "virtlogd")) === undefined) await root("virtlogd", "--daemon");
    if ((await patient.ask("pidof", "libvirtd")) === undefined) await root("libvirtd", "--daemon");
  }
  const answered = await until(
    async () => await patient.ask(...asRoot(prefix, ["virsh", "--connect", "qemu:///system", "uri"])),
    { deadlineMs: 30_000, pauseMs: 200, signal: run.signal },
  );
  if (answered === undefined) throw new ProvisionError("LIBVIRT_DOES_NOT_START", { uri: "qemu:///system" });
}

async function startNetwork({ patient, prefix, run }: ServiceContext): Promise<void> {
  const virsh = (...argv: string[]) => asRoot(prefix, ["virsh", "--connect", "qemu:///system", ...argv]);
  const info = () => patient.ask(...virsh("net-info", "default"));
  if ((await info()) === undefined)
    await program(virsh("net-define", "/usr/share/libvirt/networks/default.xml"), { run });
  await program(virsh("net-autostart", "default"), { run });
  if (!/^Active:\s+yes$/m.test((await info()) ?? "")) await program(virsh("net-start", "default"), { run });
}

async function joinGroup({ patient, prefix, run }: ServiceContext): Promise<void> {
  await program(asRoot(prefix, ["usermod", "--append", "--groups", "libvirt", patient.user]), { run });
}

/** As udev's own rule has it: 50-udev-default.rules, GROUP="kvm", MODE="0660". */
async function openKvm({ prefix, run }: ServiceContext): Promise<void> {
  await program(asRoot(prefix, ["chgrp", "kvm", "/dev/kvm"]), { run });
  await program(asRoot(prefix, ["chmod", "0660", "/dev/kvm"]), { run });
}

function asRoot(prefix: readonly string[], argv: readonly string[]): [string, ...string[]] {
  const [first = "env", ...rest] = [...prefix, ...argv];
  return [first, ...rest];
}
