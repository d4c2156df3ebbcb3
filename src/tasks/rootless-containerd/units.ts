/** What the set-up tool of the tree installs, in the order in which it can. */
export const containerd = { unit: "containerd.service", install: "install" } as const;
export const bypass4netns = { unit: "bypass4netnsd.service", install: "install-bypass4netnsd" } as const;
export const buildkit = {
  unit: "buildkit.service",
  install: "install-buildkit-containerd",
  uninstall: "uninstall-buildkit-containerd",
} as const;

/** The names of all of them. */
export const units = [containerd.unit, bypass4netns.unit, buildkit.unit] as const;

/** Where the tool writes them, from the home on. */
export const unitDirectory = ".config/systemd/user";

/** For each unit a file that says by which version of the tree it was set up. Whichever has one is ours. */
export const stampDirectory = ".local/share/provision/rootless-containerd";
