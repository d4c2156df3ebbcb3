/** Where cloud-init writes what its seed says of the network; netplan reads every file beside it too. */
export const FILE = "/etc/netplan/50-cloud-init.yaml";

/** Digest of what was brought into effect last. */
export const STAMP = "/var/lib/provision/stamps/network";

/** What guards a change of it. */
export const GUARD = "network";
