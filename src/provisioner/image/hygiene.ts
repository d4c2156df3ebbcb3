/** A path pattern: `*` in its last part stands for anything but a leading dot, as in the shell. */
type Pattern = string;

/** One thing a clean image does not hold. The seal removes by this table, `verify` checks by the same one. */
export interface HygieneItem {
  /** Names the promise where scripts read it; left out, it is made of the words. */
  readonly id?: string;
  /** The promise, as `verify` prints it. */
  readonly what: string;
  /** Nothing of these is there. */
  readonly absent?: readonly Pattern[];
  /** These are there and empty. */
  readonly empty?: readonly string[];
  /** These directories hold nothing at all. */
  readonly bare?: readonly string[];
  /** No regular file is below these; directories stay, services expect them. */
  readonly noFilesBelow?: readonly string[];
  /** No regular file of these names is below a directory; `*` stands for anything. */
  readonly noNamesBelow?: { readonly below: string; readonly names: readonly string[] };
}

/** Lives as long as the builder; the seal removes it, and nothing in the image may name it. */
export const builderUser = "builder";

/** Every file that can name a user; no line of the builder's stays in any. */
export const accountFiles = [
  "/etc/passwd",
  "/etc/shadow",
  "/etc/group",
  "/etc/gshadow",
  "/etc/subuid",
  "/etc/subgid",
] as const;

/** Units that write what they know when they stop: the seal stops them before it removes. Not all are there. */
export const writers = [
  "systemd-timesyncd.service",
  "rsyslog.service syslog.socket",
  "cron.service",
  "atd.service",
  "chrony.service",
  "fluent-bit.service",
  "docker.service docker.socket",
  "containerd.service",
] as const;

/** Where the package database lives; /var/lib/apt and /var/lib/dpkg are links to it. */
const sysimage = "/usr/lib/sysimage";

/**
 * What a golden image must not hold. Sources: systemd's BUILDING_IMAGES.md, cloud-init's `clean`, virt-sysprep's
 * operations, and what a builder boot of our own images was seen to leave.
 */
export const hygiene: readonly HygieneItem[] = [
  // systemd makes a new id on first boot only from an empty file; absent stops a read-only root from booting.
  { id: "empty-machine-id", what: "machine-id is empty", empty: ["/etc/machine-id"] },
  { id: "no-dbus-machine-id", what: "no machine-id of D-Bus", absent: ["/var/lib/dbus/machine-id"] },
  { id: "no-ssh-host-keys", what: "no SSH host keys", absent: ["/etc/ssh/ssh_host_*"] },
  {
    id: "no-host-name",
    what: "no host name",
    absent: ["/etc/hostname", "/etc/machine-info", "/etc/mailname"],
  },
  {
    id: "no-cloud-init-state",
    what: "no cloud-init state",
    absent: [
      "/var/lib/cloud",
      "/run/cloud-init",
      "/etc/cloud/cloud-init.disabled",
      "/etc/cloud/ds-identify.cfg",
    ],
  },
  {
    id: "no-network-settings",
    what: "no network settings of the builder",
    absent: [
      "/etc/netplan/50-cloud-init.yaml",
      "/etc/systemd/network/10-cloud-init-*",
      "/etc/network/interfaces.d/50-cloud-init*",
      "/etc/NetworkManager/conf.d/*cloud-init*",
      "/etc/NetworkManager/system-connections/*",
      "/etc/udev/rules.d/70-persistent-net.rules",
    ],
  },
  {
    id: "no-leases",
    what: "no DHCP leases",
    absent: [
      "/var/lib/dhcp/*",
      "/var/lib/dhclient/*",
      "/var/lib/dhcpcd/*",
      "/var/lib/NetworkManager/*.lease",
      "/var/lib/NetworkManager/secret_key",
    ],
  },
  {
    id: "no-ssh-settings",
    what: "no SSH settings of cloud-init",
    absent: ["/etc/ssh/sshd_config.d/50-cloud-init.conf"],
  },
  {
    id: "no-builder-sudo-rule",
    what: "no sudo rule of the builder",
    absent: ["/etc/sudoers.d/90-cloud-init-users"],
  },
  {
    id: "no-account-backups",
    what: "no backups of the user files",
    absent: accountFiles.map((path) => `${path}-`),
    noFilesBelow: ["/var/backups"],
  },
  { id: "no-homes", what: "no home directories", bare: ["/home"] },
  {
    id: "root-home-clean",
    what: "nothing personal in /root",
    absent: [
      "/root/.ssh",
      "/root/.*history",
      "/root/.lesshst",
      "/root/.viminfo",
      "/root/.wget-hsts",
      "/root/.cache",
      "/root/.gnupg",
      "/root/.ansible",
      "/root/.sudo_as_admin_successful",
    ],
  },
  {
    id: "no-mail-no-jobs",
    what: "no mail, no crontabs, no jobs of users",
    absent: [
      "/var/mail/*",
      "/var/spool/mail/*",
      "/var/spool/cron/crontabs/*",
      "/var/spool/cron/atjobs/*",
      "/var/spool/cron/atspool/*",
      "/var/lib/sudo/lectured/*",
    ],
  },
  {
    id: "no-random-seed",
    what: "no random seed, no credential key",
    absent: ["/var/lib/systemd/random-seed", "/var/lib/systemd/credential.secret", "/var/lib/urandom/*"],
  },
  {
    id: "no-unit-state",
    what: "no state of systemd's units, nobody lingers",
    absent: ["/var/lib/systemd/coredump/*", "/var/lib/systemd/linger/*", "/var/lib/systemd/timers/*"],
    noFilesBelow: ["/var/lib/systemd/backlight", "/var/lib/systemd/pstore", "/var/lib/systemd/rfkill"],
  },
  { id: "no-logs", what: "no logs", noFilesBelow: ["/var/log"] },
  { id: "no-journal", what: "no journal", absent: ["/var/log/journal/*"] },
  {
    id: "no-package-lists",
    what: "no package lists, no package files",
    absent: [
      `${sysimage}/apt/lists/*`,
      "/var/lib/apt/lists/*",
      "/var/cache/apt/archives/*.deb",
      "/var/cache/apt/*.bin",
      // With the lists gone it would say of them that they are fresh. The other stamps stay: they are what a second
      // run on a machine of the image is compared with.
      "/var/lib/provision/stamps/apt-update",
      "/var/lib/provision/trial",
    ],
  },
  {
    id: "no-set-aside-files",
    what: "no half-made or set-aside configuration",
    noNamesBelow: {
      below: "/etc",
      names: [
        "*.dpkg-new",
        "*.dpkg-old",
        "*.dpkg-dist",
        "*.dpkg-tmp",
        "*.ucf-new",
        "*.ucf-old",
        "*.ucf-dist",
      ],
    },
  },
  {
    id: "no-temporary-files",
    what: "nothing in the temporary directories, no dumps of memory",
    absent: ["/tmp/*", "/tmp/.[!.]*", "/var/tmp/*", "/var/tmp/.[!.]*", "/var/crash/*", "/core", "/core.*"],
  },
  {
    id: "no-swap",
    what: "no swap of the builder",
    absent: ["/swapfile", "/swap.img", "/etc/initramfs-tools/conf.d/resume"],
  },
  // Who has it can sign modules for every machine of this image that trusts it.
  {
    id: "no-module-key",
    what: "no key that signs kernel modules",
    absent: ["/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"],
  },
  {
    id: "no-containers",
    what: "no containers, no positions in logs",
    absent: ["/var/lib/containerd/*", "/var/lib/docker"],
    noFilesBelow: ["/var/lib/fluent-bit"],
  },
  {
    id: "no-service-ids",
    what: "no ids of storage and of services",
    absent: [
      "/etc/iscsi/initiatorname.iscsi",
      "/etc/nvme/hostid",
      "/etc/nvme/hostnqn",
      "/etc/multipath/wwids",
      "/etc/lvm/devices/system.devices",
      "/etc/ssl/private/ssl-cert-snakeoil.key",
      "/etc/popularity-contest.conf",
      "/var/lib/ubuntu-advantage/private",
    ],
  },
];
