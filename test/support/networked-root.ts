import type { RootRecipe } from "./systemd-root.ts";

/** A Debian trixie with what our own bases bring for their network, and what makes a tunnel in user space. */
export const networkedRoot: RootRecipe = {
  suite: "trixie",
  packages: ["cloud-init", "netplan.io", "systemd-resolved", "udev", "wireguard-go", "wireguard-tools"],
};
