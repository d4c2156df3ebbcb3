/** A place in one of the user's files; line and column start at 1. */
export interface Where {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing wrong in a file. */
export interface Complaint {
  readonly where: Where;
  /** "Cannot accept tasks[3].sysctl.key: must be text, is 5". */
  readonly what: string;
}

interface Entry<Facts> {
  /** The number the shell gets. */
  readonly exit: number;
  readonly say: (facts: Facts) => string;
  /** What to do: an order that can be carried out. */
  readonly mend: (facts: Facts) => string;
}

function entry<Facts>(value: Entry<Facts>): Entry<Facts> {
  return value;
}

/**
 * Every error a user can meet. Codes last for ever.
 * Exit: 2 spec or usage · 4 host · 5 command · 6 not settled · 7 locked · 130 stopped.
 */
export const catalogue = {
  // — files and usage —
  SPEC_INVALID: entry<{ complaints: readonly Complaint[]; mend: string }>({
    exit: 2,
    say: ({ complaints }) => complaints.map(({ what }) => what).join("\n"),
    mend: ({ mend }) => mend,
  }),
  USAGE: entry<{ what: string; mend: string }>({
    exit: 2,
    say: ({ what }) => what,
    mend: ({ mend }) => mend,
  }),
  TEMPLATE_FAILED: entry<{ template: string; reason: string }>({
    exit: 2,
    say: ({ template, reason }) => `Cannot fill template "${template}": ${reason}`,
    mend: ({ template }) => `Correct templates/${template}.hbs or the variables the use gives it`,
  }),
  // — the engine —
  FACT_UNKNOWN: entry<{ use: string; fact: string; reason: string }>({
    exit: 5,
    say: ({ use, fact, reason }) => `Cannot settle ${use}: ${fact} cannot be known: ${reason}`,
    mend: ({ fact }) =>
      `Make "${fact}" readable on the target, or put the use that provides it before this one`,
  }),
  ACTION_FAILED: entry<{ use: string; action: string; code: number; tail: string }>({
    exit: 5,
    say: ({ use, action, code, tail }) =>
      `Cannot settle ${use}: \`${action}\` must exit 0, is ${code}${tail && `\n${tail}`}`,
    mend: ({ action }) =>
      `Run \`${action}\` on the target to see why it fails; the log of this run has all it printed`,
  }),
  ACTION_TIMED_OUT: entry<{ use: string; action: string; tail: string }>({
    exit: 5,
    say: ({ use, action, tail }) =>
      `Cannot settle ${use}: \`${action}\` did not end in time${tail && `\n${tail}`}`,
    mend: ({ action }) => `Run \`${action}\` on the target to see what it waits for`,
  }),
  CHANGED_UNDERNEATH: entry<{ use: string; path: string }>({
    exit: 5,
    say: ({ use, path }) =>
      `Cannot settle ${use}: "${path}" must be as it was read, is changed by somebody else`,
    mend: ({ path }) => `Find out who writes "${path}" on the target, then run the same command again`,
  }),
  TASK_NOT_SETTLED: entry<{ use: string; what: string; wanted: string; got: string }>({
    exit: 6,
    say: ({ use, what, wanted, got }) => `Cannot settle ${use}: ${what} must be ${wanted}, is ${got}`,
    mend: ({ what }) =>
      `Find what else on the target decides "${what}"; two uses may want different things of it`,
  }),
  // — hosts and SSH —
  HOST_LOST: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot keep the connection to ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} is up and reachable, then run the same command again: it goes on where it stopped`,
  }),
  // — libvirt and guests —
  LIBVIRT_MISSING: entry<{ library: string; reason: string }>({
    exit: 4,
    say: ({ library, reason }) => `Cannot load ${library}: ${reason}`,
    mend: () => "Run `provision doctor --fix`, or install Debian's package libvirt0",
  }),
  LIBVIRT_DOWN: entry<{ uri: string; reason: string }>({
    exit: 4,
    say: ({ uri, reason }) => `Cannot reach libvirt at "${uri}": ${reason}`,
    mend: () =>
      "Start it: `systemctl start libvirtd`, or without systemd `virtlogd -d` and then `libvirtd -d`; `provision doctor --fix` does it",
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
      `Cannot remove domain "${domain}" at "${uri}": it does not bear provision's mark`,
    mend: ({ domain, uri }) =>
      `Remove it yourself if it may go: \`virsh -c ${uri} undefine --nvram ${domain}\``,
  }),
  GUEST_DIED: entry<{ guest: string; reason: string; console: string }>({
    exit: 5,
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

  // — base images and downloads —

  // — builds, images, this machine —

  // — the run —
  STOPPED: entry<{ left: string }>({
    exit: 130,
    say: ({ left }) => `Stopped: ${left}`,
    mend: () => "Run the same command again: it goes on where it stopped",
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

/** A lasting name of an error. */
export type ErrorCode = keyof typeof catalogue;

/** What an error's entry is told. */
export type ErrorFacts<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]["say"]>[0];

/** The one error class that is meant for users; anything else thrown is a bug and shows its stack. */
export class ProvisionError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly facts: ErrorFacts<Code>;
  readonly mend: string;
  readonly exitCode: number;
  /** Where in the user's files, or on which machine. */
  readonly where: Where | string | undefined;

  constructor(code: Code, facts: ErrorFacts<Code>, options: ErrorOptions & { where?: Where | string } = {}) {
    // The compiler cannot follow that `facts` belongs to `code`'s own entry; the signature above says so.
    const found = catalogue[code] as Entry<ErrorFacts<Code>>;
    super(found.say(facts), options);
    this.name = "ProvisionError";
    this.code = code;
    this.facts = facts;
    this.mend = found.mend(facts);
    this.exitCode = found.exit;
    this.where = options.where;
  }
}
