import { entry } from "./entry.ts";

/** What goes wrong with a hypervisor, and with the hosts that were deployed to it. */
export const guests = {
  // — libvirt —
  LIBVIRT_MISSING: entry<{ library: string; reason: string }>({
    exit: 4,
    say: ({ library, reason }) => `Cannot load ${library}: ${reason}`,
    mend: () => "Run `provision doctor --fix`, or install Debian's package libvirt0",
  }),
  LIBVIRT_DOWN: entry<{ uri: string; reason: string }>({
    exit: 4,
    say: ({ uri, reason }) => `Cannot reach libvirt at "${uri}": ${reason}`,
    mend: ({ uri }) =>
      /^[^/]*:\/\/[^/]/.test(uri)
        ? `Check that \`virsh -c ${uri} list\` answers without a question: the machine must be up, let you in by key, and run libvirtd`
        : "Start it: `systemctl start libvirtd`, or without systemd `virtlogd -d` and then `libvirtd -d`; `provision doctor --fix` does it",
  }),
  LIBVIRT_DENIED: entry<{ uri: string; reason: string; user: string }>({
    exit: 4,
    say: ({ uri, reason }) => `Cannot use libvirt at "${uri}": ${reason}`,
    mend: ({ user }) =>
      `Run \`sudo usermod -aG libvirt ${user}\` and log in again; a machine without polkit lets in root alone`,
  }),
  LIBVIRT_STALLED: entry<{ uri: string; call: string; seconds: number }>({
    exit: 4,
    say: ({ uri, call, seconds }) =>
      `Cannot get an answer from libvirt at "${uri}": ${call} must end within ${seconds} s, still runs`,
    mend: () =>
      "Look at `journalctl -u libvirtd` for what it waits for; restart it with `systemctl restart libvirtd` (guests go on running)",
  }),
  /** `call` is the C function, `code` and `domain` are libvirt's VIR_ERR_* and VIR_FROM_* numbers. */
  LIBVIRT_FAILED: entry<{ uri: string; call: string; code: number; domain: number; reason: string }>({
    exit: 5,
    say: ({ call, code, domain, reason }) => `Cannot ${call}: ${reason} (libvirt error ${code}/${domain})`,
    mend: ({ reason, uri }) => libvirtMend(reason, uri),
  }),
  NETWORK_MISSING: entry<{ network: string; uri: string }>({
    exit: 4,
    say: ({ network, uri }) => `Cannot find network "${network}" at "${uri}"`,
    mend: ({ network, uri }) =>
      network === "default"
        ? `Run \`virsh -c ${uri} net-define /usr/share/libvirt/networks/default.xml\` (package libvirt-daemon-config-network), or \`provision doctor --fix\``
        : `Name a network that \`virsh -c ${uri} net-list --all\` shows, or define it with \`virsh net-define\``,
  }),
  POOL_MISSING: entry<{ pool: string; uri: string }>({
    exit: 4,
    say: ({ pool, uri }) => `Cannot find pool "${pool}" at "${uri}"`,
    mend: ({ uri }) =>
      `Name a pool that \`virsh -c ${uri} pool-list --all\` shows, or leave \`pool\` out of the host's file: "default" is made where it is missing`,
  }),
  POOL_UNFIT: entry<{ pool: string; uri: string }>({
    exit: 4,
    say: ({ pool, uri }) => `Cannot use pool "${pool}" at "${uri}": it must be a folder of files, is not`,
    mend: () => "Name a pool of type dir, fs or netfs in the host's file",
  }),
  DEVICE_UNFIT: entry<{ device: string; uri: string; lacks: "device" | "iommu" }>({
    exit: 4,
    say: ({ device, uri, lacks }) =>
      `Cannot hand PCI device ${device} to a guest at "${uri}": ${lacks === "device" ? "there must be one at this address, is none" : "it must be in an IOMMU group, is in none"}`,
    mend: ({ lacks }) =>
      lacks === "device"
        ? "Correct `gpus` in the host's file: `lspci -D` on the hypervisor shows the addresses"
        : "Switch VT-d or AMD-Vi on in the hypervisor's firmware, add intel_iommu=on (Intel) to its kernel's command line, and reboot it",
  }),
  DOMAIN_EXISTS: entry<{ domain: string; uri: string; ours: boolean }>({
    exit: 4,
    say: ({ domain, uri, ours }) =>
      `Cannot make domain "${domain}": a domain of this name or UUID is at "${uri}" already${ours ? ", left by another run" : " and is not ours"}`,
    mend: ({ domain, uri, ours }) =>
      ours
        ? "Wait for the other run to end, or run `provision gc` when it is dead"
        : `Choose another name, or rename it with \`virsh -c ${uri} domrename ${domain} NEW\`; provision never touches it`,
  }),
  DOMAIN_FOREIGN: entry<{ domain: string; uri: string }>({
    exit: 4,
    say: ({ domain, uri }) =>
      `Cannot touch domain "${domain}" at "${uri}": it does not bear provision's mark`,
    mend: ({ domain, uri }) =>
      `Choose another name for the host, or remove that domain yourself if it may go: \`virsh -c ${uri} undefine --nvram ${domain}\``,
  }),
  GUEST_DIED: entry<{ guest: string; reason: string; console: string }>({
    exit: 4,
    say: ({ guest, reason, console }) =>
      `Cannot go on with guest "${guest}": it ${reason}${console && `\nIts console ended with:\n${console}`}`,
    mend: ({ guest }) =>
      `Look at /var/log/libvirt/qemu/${guest}.log on the hypervisor, its free memory and free disk space`,
  }),
  GUEST_NEVER_BOOTED: entry<{ guest: string; stage: string; seconds: number; console: string }>({
    exit: 4,
    say: ({ guest, stage, seconds, console }) =>
      `Cannot reach guest "${guest}": stage "${stage}" must be passed, is not after ${seconds} s` +
      (console ? `\nIts console ended with:\n${console}` : "\nIts console is empty"),
    mend: ({ stage }) =>
      stage === "address"
        ? "Look at the console above for why the guest has no network; check its DHCP with `virsh net-dhcp-leases default`"
        : "Look at the console above for where the boot stopped; run with --keep-on-error to look into the guest",
  }),
  AGENT_FAILED: entry<{ guest: string; command: string; reason: string }>({
    exit: 5,
    say: ({ guest, command, reason }) => `Cannot run ${command} by the agent of guest "${guest}": ${reason}`,
    mend: () =>
      "See that qemu-guest-agent is installed and runs in the guest: `systemctl status qemu-guest-agent`",
  }),
  IMAGE_UNREADABLE: entry<{ path: string; component: string; user: string }>({
    exit: 4,
    say: ({ path, component, user }) =>
      `Cannot give "${path}" to QEMU: "${component}" must be open for its user ${user}, is not`,
    mend: ({ component }) =>
      `Run \`chmod o+x ${component}\`, or keep images and cache in another place, such as /var/lib/provision`,
  }),
  SEED_FAILED: entry<{ path: string; program: string; reason: string }>({
    exit: 5,
    say: ({ path, program, reason }) => `Cannot make seed "${path}": ${program}: ${reason}`,
    mend: ({ program }) =>
      `Run \`provision doctor --fix\`, or install the Debian package that has ${program} (dosfstools, mtools, openssh-client)`,
  }),
  // — hosts —
  POOL_FULL: entry<{ pool: string; uri: string; what: string; neededMiB: number; freeMiB: number }>({
    exit: 5,
    say: ({ pool, uri, what, neededMiB, freeMiB }) =>
      `Cannot bring ${what} to pool "${pool}" at "${uri}": ${neededMiB} MiB must be free, ${freeMiB} MiB are`,
    mend: () => "Free space there: `provision gc` removes images that no host stands on",
  }),
  POOL_IMAGE_DAMAGED: entry<{ image: string; path: string; uri: string; disks: readonly string[] }>({
    exit: 5,
    say: ({ image, path, uri, disks }) =>
      `Cannot start a host from ${image}: "${path}" at "${uri}" must be that image, has another length; ${disks.join(", ")} ${disks.length === 1 ? "stands" : "stand"} on it`,
    mend: ({ path }) =>
      `Find out what wrote to "${path}": the hosts on it may be damaged; deploy them anew from another version with --replace, and remove it then`,
  }),
  HOST_BEING_MADE: entry<{ host: string; holder: string }>({
    exit: 7,
    say: ({ host, holder }) =>
      `Cannot work on ${host}: it must be finished, is still being made by ${holder}`,
    mend: () => "Wait until that run has ended; `provision gc` removes what a dead one left",
  }),
  HOST_NOT_DEPLOYED: entry<{ host: string; uri: string; hasFile: boolean }>({
    exit: 4,
    say: ({ host, uri }) => `Cannot find host "${host}" at "${uri}": it must be deployed, is not`,
    mend: ({ host, hasFile }) =>
      hasFile
        ? `Run \`provision deploy ${host}\``
        : "Name one of those that `provision vms` lists; --connect says which hypervisor to ask",
  }),
  HOST_HAS_NO_ADDRESS: entry<{ host: string; state: string }>({
    exit: 4,
    say: ({ host, state }) => `Cannot reach ${host}: it must have an address, has none (it is ${state})`,
    mend: ({ host }) =>
      `Start it with \`provision start ${host}\`, or wait until it is up; \`provision console ${host}\` shows how far it is`,
  }),
  HOST_NEEDS_REPLACE: entry<{ host: string; changes: readonly string[] }>({
    exit: 2,
    say: ({ host, changes }) =>
      `Cannot change ${host} in place: ${changes.join("; ")} takes a new system disk`,
    mend: ({ host }) =>
      `Run \`provision deploy ${host} --replace\`: it says what is lost and asks; or put the host's file back`,
  }),
  HOST_DISK_TOO_SMALL: entry<{ host: string; sizeGiB: number; neededGiB: number; image: string }>({
    exit: 2,
    say: ({ host, sizeGiB, neededGiB, image }) =>
      `Cannot make ${host}: its disk must have ${neededGiB} GiB, as image ${image} has, has ${sizeGiB} GiB`,
    mend: ({ neededGiB }) =>
      `Write disk: {sizeGiB: ${neededGiB}} into the host's file, or leave the size out`,
  }),
  DISK_IN_THE_WAY: entry<{ host: string; disk: string; pool: string; uri: string }>({
    exit: 4,
    say: ({ host, disk, pool, uri }) =>
      `Cannot make ${host}: volume "${disk}" of pool "${pool}" at "${uri}" must not be there, is left of an earlier host`,
    mend: ({ host }) =>
      `Keep it under another name, or remove it with \`provision destroy ${host} --purge\`; --replace makes the host in its place`,
  }),
  MAC_TAKEN: entry<{ host: string; mac: string; domain: string; uri: string }>({
    exit: 4,
    say: ({ host, mac, domain, uri }) =>
      `Cannot make ${host}: hardware address ${mac} must be free at "${uri}", is domain "${domain}"'s`,
    mend: () => "Give the card another `mac` in the host's file, or leave `mac` out",
  }),
  ADDRESS_TAKEN: entry<{ host: string; address: string; by: string }>({
    exit: 4,
    say: ({ host, address, by }) => `Cannot give ${host} the address ${address}: it must be free, is ${by}`,
    mend: () => "Give the host another address in its file, or take it from who has it",
  }),
} as const;

/** libvirt has one error for a thousand causes; the frequent ones get their own advice. */
function libvirtMend(reason: string, uri: string): string {
  if (/firmware/i.test(reason)) return "Install the guest firmware: Debian's package ovmf";
  if (/emulator|virt type|Cannot find QEMU/i.test(reason))
    return "Install QEMU: Debian's package qemu-system-x86";
  if (/space/i.test(reason)) return "Free space on the hypervisor's disk: `df -h` shows which one is full";
  if (/Permission denied/i.test(reason))
    return "Open the named path for QEMU's user (`chmod o+x` on each folder above it)";
  return `Ask libvirt itself for more: \`virsh -c ${uri} list --all\`, and its log in \`journalctl -u libvirtd\``;
}
