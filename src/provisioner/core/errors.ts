import { gitMend } from "./git-mend.ts";

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
  /** What to do, where that is more than to correct the file. */
  readonly mend?: string;
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
  SECRET_UNAVAILABLE: entry<{ secret: string; reason: string; mend: string }>({
    exit: 2,
    say: ({ secret, reason }) => `Cannot take a secret from ${secret}: ${reason}`,
    mend: ({ mend }) => mend,
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
    mend: ({ action, tail }) => actionMend(action, tail),
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
  TASK_REFUSED: entry<{ use: string; reason: string }>({
    exit: 5,
    say: ({ use, reason }) => `Cannot settle ${use}: ${reason}`,
    mend: ({ use }) => `Correct the parameters of "${use}", or clear on the target what stands in its way`,
  }),
  TASK_NOT_SETTLED: entry<{ use: string; what: string; wanted: string; got: string }>({
    exit: 6,
    say: ({ use, what, wanted, got }) => `Cannot settle ${use}: ${what} must be ${wanted}, is ${got}`,
    mend: ({ what }) =>
      `Find what else on the target decides "${what}"; two uses may want different things of it`,
  }),
  CHANGE_REVERTED: entry<{ use: string; seconds: number }>({
    exit: 6,
    say: ({ use, seconds }) =>
      `Cannot settle ${use}: the host must answer on a new connection within ${seconds} s, did not, and has taken the change back`,
    mend: ({ use }) =>
      `Correct the addresses and routes of "${use}": with them the host cannot be reached from here; it is as it was before`,
  }),
  CHANGE_NOT_REVERTED: entry<{ use: string; seconds: number; tail: string }>({
    exit: 6,
    say: ({ use, seconds, tail }) =>
      `Cannot settle ${use}: the host must answer on a new connection within ${seconds} s, did not, and could not take the change back whole${tail && `\n${tail}`}`,
    mend: ({ use }) =>
      `Mend on the host what it says above: the files of "${use}" are as before, but not in effect; then correct its addresses and routes`,
  }),
  ACTION_REFUSED: entry<{ action: string; reason: string }>({
    exit: 2,
    say: ({ action, reason }) => `Cannot send ${action}: ${reason}`,
    mend: ({ action }) => `Correct what the spec gives for ${action}`,
  }),
  // — hosts and SSH —
  HOST_LOST: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot keep the connection to ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} is up and reachable, then run the same command again: it goes on where it stopped`,
  }),
  SSH_TARGET_MALFORMED: entry<{ target: string; what: string }>({
    exit: 2,
    say: ({ target, what }) => `Cannot read target "${target}": ${what}`,
    mend: () => "Write it as user@host, user@host:port or user@[IPv6 address]:port",
  }),
  SSH_CONFIG_REFUSED: entry<{ file: string; what: string; mend: string }>({
    exit: 2,
    say: ({ file, what }) => `Cannot use "${file}": ${what}`,
    mend: ({ mend }) => mend,
  }),
  SSH_UNREACHABLE: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot reach ${host}: ${reason}`,
    mend: ({ host }) => `Check that the machine is up and that ${host} is its right name, address and port`,
  }),
  SSH_REFUSED: entry<{ host: string }>({
    exit: 4,
    say: ({ host }) => `Cannot reach ${host}: the machine answers, but nothing listens on that port`,
    mend: () =>
      "Start the machine's SSH server (`systemctl start ssh` on Debian and Ubuntu), or give the port it listens on",
  }),
  SSH_TIMED_OUT: entry<{ host: string; stage: string; seconds: number }>({
    exit: 4,
    say: ({ host, stage, seconds }) =>
      `Cannot log in to ${host}: ${stage} must come within ${seconds} s, is still awaited`,
    mend: ({ host }) =>
      `Check that no firewall drops packets to ${host} and that the machine is not overloaded`,
  }),
  SSH_HANDSHAKE_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot speak SSH with ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that an SSH server answers at ${host} and read its log: it may refuse this address for a while after failed logins`,
  }),
  SSH_CHANNEL_REFUSED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start a program on ${host}: ${reason}`,
    mend: () => "Allow at least 3 sessions per connection: MaxSessions in the machine's sshd_config",
  }),
  LOGIN_REFUSED: entry<{ host: string; user: string; tried: string; takes: string }>({
    exit: 4,
    say: ({ host, user, tried, takes }) =>
      `Cannot log in to ${host}: "${user}" must have a key the machine knows, is refused (tried ${tried}; the machine takes ${takes})`,
    mend: ({ user }) =>
      `Check the user name; add your public key to ~${user}/.ssh/authorized_keys on the machine, or name the right key with IdentityFile in ~/.ssh/config`,
  }),
  KEY_ENCRYPTED: entry<{ host: string; file: string }>({
    exit: 4,
    say: ({ host, file }) =>
      `Cannot log in to ${host}: the key "${file}" must be usable without asking, is locked with a passphrase`,
    mend: ({ file }) => `Unlock it in the SSH agent: ssh-add "${file}"`,
  }),
  KEY_UNREADABLE: entry<{ host: string; file: string; reason: string }>({
    exit: 4,
    say: ({ host, file, reason }) => `Cannot log in to ${host} with the key "${file}": ${reason}`,
    mend: ({ file }) => `Check that "${file}" is a private key: ssh-keygen -y -f "${file}"`,
  }),
  HOST_KEY_DIFFERS: entry<{
    host: string;
    name: string;
    known: string;
    presented: string;
    file: string | undefined;
  }>({
    exit: 4,
    say: ({ host, known, presented, file }) =>
      `Cannot trust ${host}: its host key must be ${known}${file ? ` (${file})` : ""}, is ${presented}`,
    mend: ({ name, file }) =>
      file
        ? `Find out why the key changed: somebody may stand between. Only if the change is meant: ssh-keygen -f "${file}" -R "${name}"`
        : "Find out why another machine answers at this address: the key was given to this machine by provision itself",
  }),
  HOST_KEY_UNKNOWN: entry<{ host: string; presented: string; line: string; file: string }>({
    exit: 4,
    say: ({ host, presented }) =>
      `Cannot trust ${host}: its host key must be in known_hosts, is ${presented}, which nobody vouched for`,
    mend: ({ line, file }) =>
      `Compare the fingerprint with \`ssh-keygen -lf\` over /etc/ssh/ssh_host_*_key.pub on the machine itself; when equal: echo '${line}' >> "${file}"`,
  }),
  HOST_KEY_REVOKED: entry<{ host: string; presented: string; file: string }>({
    exit: 4,
    say: ({ host, presented, file }) =>
      `Cannot trust ${host}: its host key ${presented} is revoked in ${file}`,
    mend: () => "Give the machine a new host key; a revoked one was marked as stolen",
  }),
  HOST_KEY_AUTHORITY: entry<{ host: string; file: string }>({
    exit: 4,
    say: ({ host, file }) =>
      `Cannot trust ${host}: ${file} must have its plain host key, has a @cert-authority line only, and host certificates are not supported`,
    mend: ({ file }) => `Add the machine's own key to "${file}" beside the @cert-authority line`,
  }),
  RAISE_NO_SUDO: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) =>
      `Cannot become root on ${host}: "${user}" is not root, and sudo is not installed`,
    mend: () => "Install sudo on the machine, or log in as root",
  }),
  RAISE_PASSWORD_NEEDED: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) => `Cannot become root on ${host}: sudo wants a password of "${user}"`,
    mend: ({ user }) =>
      `Give the password, or allow it without one: \`${user} ALL=(ALL) NOPASSWD:ALL\` in a file of /etc/sudoers.d, checked by visudo -c`,
  }),
  RAISE_PASSWORD_WRONG: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) =>
      `Cannot become root on ${host}: sudo does not take the password given for "${user}"`,
    mend: ({ user }) =>
      `Give the password of "${user}" on that machine; it was sent once and is not sent again`,
  }),
  RAISE_REFUSED: entry<{ host: string; user: string; said: string }>({
    exit: 4,
    say: ({ host, user, said }) =>
      `Cannot become root on ${host}: sudo does not allow it to "${user}"${said && `\n${said}`}`,
    mend: ({ user }) =>
      `Allow it on the machine: \`${user} ALL=(ALL) ALL\` in a file of /etc/sudoers.d, checked by visudo -c`,
  }),
  RAISE_NEEDS_TTY: entry<{ host: string; user: string }>({
    exit: 4,
    say: ({ host, user }) => `Cannot become root on ${host}: sudo wants a terminal (requiretty) of "${user}"`,
    mend: ({ user }) =>
      `Lift it on the machine: \`Defaults:${user} !requiretty\` in a file of /etc/sudoers.d`,
  }),
  RAISE_FAILED: entry<{ host: string; user: string; said: string }>({
    exit: 4,
    say: ({ host, user, said }) =>
      `Cannot become root on ${host} as "${user}": the login shell and sudo did not answer as they should${said && `\n${said}`}`,
    mend: ({ host }) =>
      `Log in to ${host} by hand and run \`sudo -n true; id\` to see what stands in the way`,
  }),
  SSH_NOT_UP: entry<{ host: string; stage: string; seconds: number; reason: string; tail: string }>({
    exit: 4,
    say: ({ host, stage, seconds, reason, tail }) =>
      `Cannot log in to ${host}: must be up, is not after ${seconds} s; reached: ${stage}; last: ${reason}${tail && `\n${tail}`}`,
    mend: () =>
      "Read the console above: it shows where the boot stands; under emulation or load, allow it more time",
  }),
  UPLOAD_FAILED: entry<{ host: string; path: string; reason: string }>({
    exit: 5,
    say: ({ host, path, reason }) => `Cannot copy to "${path}" on ${host}: ${reason}`,
    mend: ({ path }) => `Check that the folder of "${path}" exists on the machine, is writable and has space`,
  }),
  WORKER_FAILED: entry<{ host: string; reason: string }>({
    exit: 4,
    say: ({ host, reason }) => `Cannot start the worker on ${host}: ${reason}`,
    mend: ({ host }) =>
      `Check that ${host} runs \`/bin/sh\` with coreutils as root and that /run is writable there`,
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

  // — base images and downloads —
  BASE_UNKNOWN: entry<{ name: string; known: readonly string[] }>({
    exit: 2,
    say: ({ name }) => `Cannot prepare base "${name}": it must be under \`bases:\` in versions.yaml, is not`,
    mend: ({ known }) => `Use one of ${known.join(", ")}, or add an entry`,
  }),
  BASE_NEEDS_ROOT: entry<{ reason: string }>({
    exit: 5,
    say: ({ reason }) =>
      `Cannot bootstrap a base: this user must be root or have ids of its own in /etc/subuid: ${reason}`,
    mend: () =>
      "Run as root; or, as an ordinary user, install `uidmap` and run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`",
  }),
  BASE_PACKAGE_UNKNOWN: entry<{ base: string; name: string }>({
    exit: 2,
    say: ({ base, name }) => `Cannot bootstrap ${base}: the archive must have package "${name}", has not`,
    mend: ({ base }) => `Correct \`packages\` or \`components\` of ${base} in versions.yaml`,
  }),
  ARCHIVE_UNUSABLE: entry<{ base: string; reason: string }>({
    exit: 5,
    say: ({ base, reason }) => `Cannot bootstrap ${base}: ${reason}`,
    mend: ({ base }) =>
      `Check the network (and http_proxy), and \`sources\` and \`keyring\` of ${base} in versions.yaml`,
  }),
  BOOTSTRAP_FAILED: entry<{ base: string; reason: string }>({
    exit: 5,
    say: ({ base, reason }) => `Cannot bootstrap ${base}: mmdebstrap failed${reason && `\n${reason}`}`,
    mend: () => "Read the log of this run: it has all that mmdebstrap, apt and dpkg printed",
  }),
  BASE_MALFORMED: entry<{ name: string; url: string }>({
    exit: 2,
    say: ({ name, url }) => `Cannot use base "${name}": ${url} must be a qcow2 disk image, is something else`,
    mend: ({ name }) => `Correct \`url\` of ${name} in versions.yaml`,
  }),
  DOWNLOAD_FAILED: entry<{ name: string; tried: readonly { url: string; reason: string }[] }>({
    exit: 5,
    say: ({ name, tried }) =>
      `Cannot download ${name}:\n${tried.map(({ url, reason }) => `${url}: ${reason}`).join("\n")}`,
    mend: () =>
      "Check the network; name another place in PROVISION_MIRRORS (original=replacement) or `mirrors:` of versions.yaml; or pin a newer build",
  }),
  DIGEST_DIFFERS: entry<{ name: string; url: string; wanted: string; got: string }>({
    exit: 5,
    say: ({ name, url, wanted, got }) =>
      `Cannot use ${name} from ${url}: its digest must be ${wanted}, is ${got}`,
    mend: () =>
      "Do not use the file; compare the vendor's published checksum, and correct the pin in versions.yaml only if that agrees",
  }),
  KEY_DIFFERS: entry<{ name: string; url: string; reason: string }>({
    exit: 5,
    say: ({ name, url, reason }) => `Cannot use ${name} from ${url}: ${reason}`,
    mend: () =>
      "Do not use the key; compare the fingerprint that its project publishes, and correct the one in versions.yaml only if that agrees",
  }),
  ARTIFACT_MISSING: entry<{ name: string; digest: string; places: readonly string[] }>({
    exit: 5,
    say: ({ name, digest, places }) =>
      `Cannot use ${name} offline: the file with ${digest} must be in ${places.join(" or ")}, is not`,
    mend: () =>
      "Run `provision fetch` while there is a network; or `provision fetch --out DIR` on a machine that has one, and give the folder with --from",
  }),
  FETCH_FAILED: entry<{ failed: readonly { reason: string; mend: string }[] }>({
    exit: 5,
    say: ({ failed }) =>
      `Cannot fetch ${failed.length} of the files:\n${failed.map(({ reason }) => reason).join("\n")}`,
    mend: ({ failed }) => [...new Set(failed.map(({ mend }) => mend))].join("; "),
  }),
  ARCHITECTURE_UNKNOWN: entry<{ got: string; known: readonly string[] }>({
    exit: 5,
    say: ({ got, known }) =>
      `Cannot choose tools for this machine: it must be ${known.join(" or ")}, is ${got}`,
    mend: () => "Run provision on another machine and let it install on this one over SSH",
  }),
  FOLDER_UNUSABLE: entry<{ path: string; reason: string; mend: string }>({
    exit: 5,
    say: ({ path, reason }) => `Cannot use "${path}": ${reason}`,
    mend: ({ mend }) => mend,
  }),
  SETTING_INVALID: entry<{ name: string; wanted: string; got: string }>({
    exit: 2,
    say: ({ name, wanted, got }) => `Cannot accept ${name}: must be ${wanted}, is "${got}"`,
    mend: ({ name }) => `Correct or unset ${name} in the environment`,
  }),

  // — renewing pins —
  API_UNREACHABLE: entry<{ api: string; reason: string }>({
    exit: 5,
    say: ({ api, reason }) => `Cannot ask ${api}: ${reason}`,
    mend: () =>
      "Check the network, and HTTPS_PROXY where there is a proxy; name another API with --api or PROVISION_API_URL",
  }),
  API_REFUSED: entry<{ what: string; reason: string }>({
    exit: 5,
    say: ({ what, reason }) => `Cannot ask for ${what}: ${reason}`,
    mend: () =>
      "Check that the repository is named rightly in versions.yaml; where it is private, set GITHUB_TOKEN to a token that may read it",
  }),
  API_LIMITED: entry<{ api: string; until: string; token: boolean }>({
    exit: 5,
    say: ({ api, until }) => `Cannot ask ${api} any more: it takes no further requests until ${until}`,
    mend: ({ until, token }) =>
      token
        ? `Run the same command again after ${until}`
        : `Set GITHUB_TOKEN, which allows many more requests, or run the same command again after ${until}`,
  }),
  PIN_SOURCE_UNUSABLE: entry<{ tool: string; reason: string; mend: string }>({
    exit: 5,
    say: ({ tool, reason }) => `Cannot look for newer releases of ${tool}: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  RELEASE_GONE: entry<{ tool: string; version: string; repo: string }>({
    exit: 5,
    say: ({ tool, version, repo }) =>
      `Cannot vouch for ${tool}: ${repo} must have its pinned release ${version}, has it no more`,
    mend: ({ tool, repo }) =>
      `Find out why ${repo} withdrew it, and pin another version of ${tool} in versions.yaml`,
  }),
  ASSET_MISSING: entry<{ tool: string; tag: string; asset: string; architecture: string; nearest: string }>({
    exit: 5,
    say: ({ tool, tag, asset, architecture, nearest }) =>
      `Cannot pin ${tool} ${tag} for ${architecture}: the release must have "${asset}", has ${nearest || "nothing like it"}`,
    mend: ({ tool }) =>
      `Correct artifact of ${tool} in versions.yaml when the file was renamed; set bump.hold while a release lacks it`,
  }),
  ASSET_REPUBLISHED: entry<{
    tool: string;
    version: string;
    asset: string;
    pinned: string;
    found: string;
    uploaded: string;
  }>({
    exit: 5,
    say: ({ tool, version, asset, pinned, found, uploaded }) =>
      `Cannot vouch for ${tool} ${version}: "${asset}" must still be sha256 ${pinned}, is ${found}, uploaded ${uploaded}: upstream has published it again`,
    mend: ({ tool }) =>
      `Ask upstream why; only then take it with \`provision bump ${tool} --accept-republished\``,
  }),
  DIGESTS_DISAGREE: entry<{ tool: string; asset: string; release: string; list: string; listed: string }>({
    exit: 5,
    say: ({ tool, asset, release, list, listed }) =>
      `Cannot pin ${tool}: the digest of "${asset}" must be one, is ${release} by the release and ${listed} by ${list}`,
    mend: ({ tool }) => `Use neither: tell upstream, and set bump.hold of ${tool} in versions.yaml meanwhile`,
  }),
  CHECKSUM_MISSING: entry<{ tool: string; asset: string; list: string; reason: string }>({
    exit: 5,
    say: ({ tool, asset, list, reason }) =>
      `Cannot pin ${tool}: "${asset}" must have a digest in ${list}: ${reason}`,
    mend: ({ tool }) => `Correct bump.checksums of ${tool} in versions.yaml, or remove it`,
  }),
  PIN_EDIT_REFUSED: entry<{ file: string; place: string; reason: string }>({
    exit: 5,
    say: ({ file, place, reason }) => `Cannot edit ${place} of ${file}: ${reason}`,
    mend: ({ file, place }) => `Write ${place} out as plain or quoted text in ${file}, or edit it by hand`,
  }),
  PINS_CHANGED: entry<{ file: string }>({
    exit: 5,
    say: ({ file }) => `Cannot write ${file}: it must be as it was read, is changed by somebody else`,
    mend: () => "Run the same command again: it reads the file anew",
  }),
  BUMP_FAILED: entry<{ failures: string; count: number }>({
    exit: 5,
    say: ({ failures, count }) => `Cannot renew ${count} tools:\n${failures}`,
    mend: () => "Mend each as it says, or run `provision bump TOOL` for one alone; the others are done",
  }),
  PULL_REQUEST_NOT_READY: entry<{ reason: string; mend: string }>({
    exit: 5,
    say: ({ reason }) => `Cannot open a pull request: ${reason}`,
    mend: ({ mend }) => mend,
  }),

  // — archives —
  ARCHIVE_REFUSED: entry<{ name: string; fault: string; entry: string | undefined; reason: string }>({
    exit: 5,
    say: ({ name, entry: member, reason }) =>
      `Cannot unpack ${name}: ${member === undefined ? "it" : `"${member}"`} ${reason}`,
    mend: ({ fault }) => archiveMend(fault),
  }),
  ARCHIVE_TOOL_MISSING: entry<{ program: string }>({
    exit: 5,
    say: ({ program }) =>
      `Cannot decompress: the program "${program}" must be installed on this machine, is missing`,
    mend: ({ program }) =>
      program === "zstd"
        ? "Run `apt-get install zstd` as root, or run provision with Node 22.15 or newer, which needs no program for it"
        : "Run `apt-get install xz-utils` as root",
  }),
  UNPACK_FAILED: entry<{ name: string; code: string; reason: string }>({
    exit: 5,
    say: ({ name, reason }) => `Cannot unpack ${name}: ${reason}`,
    mend: ({ code }) =>
      code === "ENOSPC" || code === "EDQUOT"
        ? "Free space on the file system that is unpacked to: `df -h` and `df -i` show which one is full"
        : "Check that the named path is there, that its file system is sound, and that this user may write to it",
  }),

  // — builds, images, this machine —
  PROGRAM_MISSING: entry<{ program: string }>({
    exit: 5,
    say: ({ program }) => `Cannot run "${program}": it must be installed on this machine, is missing`,
    mend: () => "Run `provision doctor --fix`",
  }),
  PROGRAM_FAILED: entry<{ program: string; why: string; tail: string }>({
    exit: 5,
    say: ({ program, why, tail }) =>
      `Cannot run \`${program}\` on this machine: it ${why}${tail && `\n${tail}`}`,
    mend: ({ program }) =>
      `Run \`${program}\` by hand to see why; \`provision doctor\` checks what this machine needs`,
  }),

  VAGRANT_MISSING: entry<Record<string, never>>({
    exit: 5,
    say: () => "Cannot ask Vagrant for its machine: `vagrant` must be installed on this machine, is missing",
    mend: () => "Run `sudo apt-get install --no-install-recommends vagrant vagrant-libvirt`",
  }),
  VAGRANT_UNUSABLE: entry<{ reason: string; mend: string }>({
    exit: 4,
    say: ({ reason }) => `Cannot use Vagrant's machine: ${reason}`,
    mend: ({ mend }) => mend,
  }),
  MACHINE_NOT_READY: entry<{ lacks: readonly string[] }>({
    exit: 5,
    say: ({ lacks }) => `Cannot use this machine: it lacks ${lacks.join("; ")}`,
    mend: () => "Run `provision doctor --fix`",
  }),
  DISK_FULL: entry<{ path: string; what: string; neededGiB: string; freeGiB: string }>({
    exit: 5,
    say: ({ path, what, neededGiB, freeGiB }) =>
      `Cannot start ${what}: "${path}" must have ${neededGiB} GiB free, has ${freeGiB} GiB`,
    mend: ({ path }) =>
      `Free space on the file system of "${path}": \`provision gc\` and old images are the first to go`,
  }),
  DISK_TOO_SMALL: entry<{ base: string; part: string; neededGiB: number; hasGiB: string; mend: string }>({
    exit: 2,
    say: ({ base, part, neededGiB, hasGiB }) =>
      `Cannot build on ${base}: ${part} must have ${neededGiB} GiB, has ${hasGiB} GiB`,
    mend: ({ mend }) => mend,
  }),
  CLOUD_INIT_FAILED: entry<{ host: string; complaints: readonly string[]; tail: string }>({
    exit: 4,
    say: ({ host, complaints, tail }) =>
      `Cannot use ${host}: cloud-init must end without errors, says ${complaints.join("; ")}${tail && `\n${tail}`}`,
    mend: () =>
      "Correct what cloud-init complains of in the seed or the base; its whole log is /var/log/cloud-init.log",
  }),
  SEAL_FAILED: entry<{ reason: string }>({
    exit: 5,
    say: ({ reason }) => `Cannot seal the image: ${reason}`,
    mend: () => "Build again with --keep-on-error and run /run/provision-seal.sh on the builder to see why",
  }),
  CONTRACT_BROKEN: entry<{ image: string; broken: readonly string[] }>({
    exit: 6,
    say: ({ image, broken }) => `Cannot vouch for "${image}": ${broken.join("\n")}`,
    mend: () => "Find the use that leaves this behind and correct the spec, then build again",
  }),
  IMAGE_MISSING: entry<{ path: string }>({
    exit: 2,
    say: ({ path }) => `Cannot find an image at "${path}"`,
    mend: () => "Run `provision images` to see what is there, or `provision build --spec NAME` to make one",
  }),
  IMAGE_UNBUILT: entry<{ image: string; spec: string; versions: readonly string[] }>({
    exit: 2,
    say: ({ image }) => `Cannot find image "${image}": no such image was built here`,
    mend: ({ spec, versions }) =>
      versions.length === 0
        ? `Run \`provision build --spec ${spec}\``
        : `Name one of ${versions.map((version) => `${spec}@${version}`).join(", ")}, or "${spec}" for the newest`,
  }),
  IMAGE_UNFIT: entry<{ path: string; is: string }>({
    exit: 2,
    say: ({ path, is }) => `Cannot start a host from "${path}": it must be a whole qcow2 image, is ${is}`,
    mend: ({ path }) => `Run \`qemu-img convert -O qcow2 ${path} WHOLE.qcow2\`, and name that one`,
  }),
  IMAGE_DAMAGED: entry<{ image: string; path: string; wanted: string; got: string }>({
    exit: 5,
    say: ({ image, path, wanted, got }) =>
      `Cannot use image ${image}: the digest of "${path}" must be ${wanted}, is ${got}`,
    mend: () => "Build it anew with `provision build --force`; find out what has changed the file",
  }),

  // — deployed hosts —
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

  DOCTOR_NEEDS_ROOT: entry<{ user: string }>({
    exit: 5,
    say: ({ user }) =>
      `Cannot set up this machine: "${user}" must be root, or may run sudo without a password; is neither`,
    mend: () => "Run `sudo true` first, or run the same command as root",
  }),
  LIBVIRT_DOES_NOT_START: entry<{ uri: string }>({
    exit: 5,
    say: ({ uri }) => `Cannot start libvirtd: it must answer on ${uri} within 30 s, does not`,
    mend: () => "Run `libvirtd` as root in a terminal and read what it complains of",
  }),

  // — tools of this machine —
  TOOL_CONTENT_MISSING: entry<{ tool: string; artifact: string; path: string; found: string | undefined }>({
    exit: 5,
    say: ({ tool, artifact, path }) => `Cannot install ${tool}: ${artifact} must hold "${path}", does not`,
    mend: ({ tool, found }) =>
      `Correct the paths of ${tool} in versions.yaml${found === undefined ? ": `tar -tf` shows what the archive holds" : `: the archive holds "${found}"`}`,
  }),
  TOOL_PROGRAM_WRONG: entry<{ tool: string; path: string; architecture: string; got: string }>({
    exit: 5,
    say: ({ tool, path, architecture, got }) =>
      `Cannot install ${tool}: "${path}" must be an ELF program for ${architecture} or a script, is ${got}`,
    mend: ({ tool }) => `Correct \`artifact\`, \`arch\` or \`binary\` of ${tool} in versions.yaml`,
  }),
  TOOL_LINK_BROKEN: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) =>
      `Cannot install ${tool}: the link "${path}" must lead to a file of the tool, does not`,
    mend: ({ tool }) =>
      `Correct \`root\` of ${tool} in versions.yaml, so that the link's target comes with it`,
  }),
  TOOL_PLACE_RESERVED: entry<{ tool: string; path: string }>({
    exit: 5,
    say: ({ tool, path }) => `Cannot install ${tool}: "${path}" must be left to provision, is in its archive`,
    mend: ({ tool }) => `Correct \`extract_to\` or \`root\` of ${tool} in versions.yaml`,
  }),
  TOOL_IN_THE_WAY: entry<{ tool: string; paths: readonly string[] }>({
    exit: 5,
    say: ({ tool, paths }) =>
      `Cannot install ${tool}: the place of its links must be free, ${paths.map((path) => `"${path}"`).join(", ")} is somebody else's`,
    mend: ({ tool }) =>
      `Move it away, or run \`provision install --force ${tool}\`, which puts it into share/provision/replaced`,
  }),
  TOOLS_CLASH: entry<{ path: string; one: string; other: string }>({
    exit: 2,
    say: ({ path, one, other }) => `Cannot install ${one} beside ${other}: both bring "${path}"`,
    mend: ({ one, other }) =>
      `Install one of them (\`provision install --uninstall ${other}\`), or give a command of ${one} another name in versions.yaml`,
  }),
  TOOL_NO_PREVIOUS: entry<{ tool: string; version: string }>({
    exit: 5,
    say: ({ tool, version }) =>
      `Cannot roll back ${tool} ${version}: the version before must be kept, there is none`,
    mend: ({ tool }) =>
      `Pin the version that is wanted in versions.yaml and run \`provision install ${tool}\``,
  }),
  TOOLS_FAILED: entry<{ failed: readonly { name: string; reason: string; mend: string }[] }>({
    exit: 5,
    say: ({ failed }) =>
      `Cannot install ${failed.length} of the tools:\n${failed.map(({ name, reason }) => `${name}: ${reason}`).join("\n")}`,
    mend: ({ failed }) => [...new Set(failed.map(({ mend }) => mend))].join("; "),
  }),
  PREFIX_UNWRITABLE: entry<{ path: string; reason: string }>({
    exit: 5,
    say: ({ path, reason }) => `Cannot install into "${path}": it must be writable, is not: ${reason}`,
    mend: () => "Run as root for --system, name a place of yours with --prefix, or free space there",
  }),

  // — maintenance windows —
  ROOT_NOT_READ_ONLY: entry<{ host: string; found: string }>({
    exit: 2,
    say: ({ host, found }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only by /etc/fstab, is ${found}`,
    mend: ({ host }) =>
      `Work on ${host} as it is, by ssh or \`provision apply\`: nothing has to be opened there`,
  }),
  WINDOW_OPEN: entry<{ host: string; holder: string }>({
    exit: 7,
    say: ({ host, holder }) =>
      `Cannot open a maintenance window on ${host}: its root must be read-only, is open for writing already, ${holder}`,
    mend: () =>
      "Work in that window, wait for its end, or close it: the same command with --close in place of the rest",
  }),
  WINDOW_NOT_OPENED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot open a maintenance window on ${host}: systemd there must arm its end and root must become writable${tail && `\n${tail}`}`,
    mend: () =>
      "Read what the machine says above; `journalctl -k -b` there knows why a disk cannot be written",
  }),
  WINDOW_NOT_CLOSED: entry<{ host: string; tail: string }>({
    exit: 5,
    say: ({ host, tail }) =>
      `Cannot close the maintenance window on ${host}: root must be read-only again, is still writable${tail && `\n${tail}`}`,
    mend: () =>
      "Stop or restart on the machine what is named above (`systemctl restart UNIT`, `systemctl daemon-reexec` for systemd itself): it is tried again every 30 s; a reboot closes it too",
  }),
  MAINTENANCE_FAILED: entry<{ host: string; command: string; how: string; tail: string }>({
    exit: 5,
    say: ({ host, command, how, tail }) =>
      `Cannot do the maintenance of ${host}: \`${command}\` must exit 0, ${how}${tail && `\n${tail}`}`,
    mend: ({ command }) =>
      `Find out above why \`${command}\` failed; --for MINUTES gives it more time, and without a command the window stays open for you to look`,
  }),

  // — the run —
  LOCKED: entry<{ host: string; holder: string; lock: string }>({
    exit: 7,
    say: ({ host, holder, lock }) => `Cannot work on ${host}: "${lock}" must be free, is held by ${holder}`,
    mend: ({ host, lock }) =>
      `Wait until that run has ended; when it is dead and its lock stays, run \`rm ${lock}\` on ${host}`,
  }),
  STOPPED: entry<{ left: string }>({
    exit: 130,
    say: ({ left }) => `Stopped: ${left}`,
    mend: () => "Run the same command again: it goes on where it stopped",
  }),
} as const;

/** Programs fail for a thousand causes too; these are the ones that a person meets, in the words of apt and the kernel. */
function actionMend(action: string, tail: string): string {
  const mend = gitMend(tail);
  if (mend !== undefined) return mend;
  const [, name] =
    /Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate|Version '\S+' for '(\S+)' was not found/
      .exec(tail)
      ?.filter(Boolean) ?? [];
  if (name !== undefined)
    return `Correct "${name}" in the spec (\`apt-cache policy ${name}\` on the target shows what there is), or put the apt-repository that has it before this use`;
  if (/No space left on device|enough free space/.test(tail))
    return "Free space on the target: `df -h` shows which file system is full";
  // Before the network, whose words apt uses for it too.
  if (/signature verification failed|NO_PUBKEY|is not signed|Missing key [0-9A-F]+/.test(tail))
    return "Compare the key that the repository is signed with now with the one pinned for it, and pin the new one only if its project has announced it";
  if (/Failed to fetch|Could not (resolve|connect)|Temporary failure resolving/.test(tail))
    return "Check the target's network and the archives in its /etc/apt: `apt-get update` there must succeed";
  if (/AppArmor parser error/.test(tail))
    return "Correct the profile: the line that the parser names is one of its text, or of a file it includes";
  // A script is told by its name alone: nobody could run that.
  return action.includes("…")
    ? "Read the log of this run: it has all that the program printed on the target"
    : `Run \`${action}\` on the target to see why it fails; the log of this run has all it printed`;
}

/** A file of another kind is a wrong pin; a damaged one may be; one that breaks the rules is its makers' affair. */
function archiveMend(fault: string): string {
  if (fault === "kind")
    return "Correct `format`, `artifact` or `url` of the tool in versions.yaml, so that they say what the file is";
  if (fault === "damage")
    return "Compare its digest with the pin: a file that differs is fetched again once it is removed; one that agrees was published like this, so pin another release";
  return "Do not unpack it by other means: report it to the project that publishes it, and pin another release";
}

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
