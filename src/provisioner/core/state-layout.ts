/**
 * How an image is divided: what it is (root, read-only once sealed) and what happens to it (state). Templates,
 * seal and verify read these names, so that no path is written twice.
 */
export const stateLayout = {
  /** File-system labels; the boot finds everything by them. */
  labels: { root: "root", state: "state", esp: "ESP" },
  /** Where the state file system is mounted. */
  mountPoint: "/state",
  /** Moved to the state file system and bound back in place, in every mode. */
  moved: ["/var/lib", "/var/log", "/var/spool", "/home", "/root"],
  /** Stays with the files it describes: a refused install must not touch the mutable copy. */
  packageDatabase: [
    { path: "/var/lib/dpkg", kept: "/usr/lib/sysimage/dpkg" },
    { path: "/var/lib/apt", kept: "/usr/lib/sysimage/apt" },
  ],
  /** Upper and work directory of the overlay on /etc, below the mount point. */
  etcUpper: "/etc/upper",
  etcWork: "/etc/work",
  /** While it is absent the image boots writable; sealing writes it, and the initramfs lays the overlay. */
  marker: "/etc/provision-image",
  /** Directory in the initramfs: the name of the one file in it says which hook and script it was made with. */
  initramfsStamp: "/etc/provision-state",
  /** On the kernel's command line: boot without the overlay on /etc. */
  plainSwitch: "provision.etc=plain",
  /** The two lines of fstab that sealing changes, from what the base has to what a sealed image has. */
  fstab: {
    root: {
      open: "LABEL=root / ext4 rw,errors=remount-ro 0 1",
      sealed: "LABEL=root / ext4 ro,errors=remount-ro 0 1",
    },
    // The initramfs has checked it by then; systemd-fsck refuses a file system that is mounted.
    state: {
      open: "LABEL=state /state ext4 defaults,nodev,nosuid,x-systemd.growfs 0 2",
      sealed: "LABEL=state /state ext4 defaults,nodev,nosuid,x-systemd.growfs 0 0",
    },
  },
} as const;
