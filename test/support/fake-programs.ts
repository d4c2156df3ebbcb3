import { readOnlyRoot } from "../../src/provisioner/core/read-only-root.ts";
import { digestOf } from "../../src/provisioner/core/task.ts";
import type { FakeHost, Program } from "./fake-host.ts";
import { checkOutDotfiles, linkDotfile, lookAtDotfiles, unlinkDotfile } from "./fake-dotfiles.ts";
import { installDriver, lookAtDriver } from "./fake-nvidia.ts";
import { lookAtRootless, setUpRootless, stopLingering } from "./fake-rootless.ts";
import { changeTools, lookAtTools, prepareStore, takeSent } from "./fake-tools.ts";
import { bringUpWireguard, lookAtWireguard, makeWireguardKey } from "./fake-wireguard.ts";

/** Debian's programs, as far as tasks run them; each does to the fake machine what the real one would. */
export const debian: Readonly<Record<string, Program>> = {
  "provision-apt": apt,
  "provision-apt-broken": (_argv, host) => ({ stdout: broken(host) }),
  "provision-apt-update": () => 0,
  "provision-dotfiles": checkOutDotfiles,
  "provision-dotfiles-link": linkDotfile,
  "provision-dotfiles-look": lookAtDotfiles,
  "provision-dotfiles-unlink": unlinkDotfile,
  "provision-guard": (argv, host, command) => host.guards.run(argv, command),
  "provision-netplan": () => 0,
  "provision-netplan-check": (_argv, _host, { stdin = "" }) =>
    stdin.includes("nonsense") ? { code: 78, stderr: "malformed address 'nonsense'" } : 0,
  "provision-nvidia": installDriver,
  "provision-nvidia-look": lookAtDriver,
  "provision-rootless": setUpRootless,
  "provision-rootless-look": lookAtRootless,
  loginctl: stopLingering,
  "provision-tools": changeTools,
  "provision-tools-look": lookAtTools,
  "provision-tools-prepare": prepareStore,
  "provision-tools-take": takeSent,
  "provision-wireguard": bringUpWireguard,
  "provision-wireguard-key": makeWireguardKey,
  "provision-wireguard-look": lookAtWireguard,
  "provision-initramfs": listInitramfs,
  "update-initramfs": makeInitramfs,
  "dpkg-query": (argv, host) => dpkgQuery(argv.slice(4), host),
  "provision-systemctl": ([, verb = "", unit = ""], host) => host.units.systemctl(verb, unit),
  systemctl: ([, verb = "", unit = ""], host) => host.units.systemctl(verb, unit),
  "systemd-tmpfiles": () => 0,
  sysctl: ([, , setting = ""], host) => {
    const [key = "", value = ""] = setting.split("=");
    if (!host.sysctls.has(key)) return { code: 255, stderr: `sysctl: cannot stat /proc/sys/${key}` };
    host.sysctls.set(key, value.replaceAll(" ", "\t"));
    return 0;
  },
  modprobe: ([, name = ""], host) => void host.modules.add(name.replaceAll("-", "_")),
  mount,
  umount: ([, target = ""], host) => (host.mounts.delete(target) ? 0 : { code: 32, stderr: "not mounted" }),
  useradd,
  usermod,
  userdel: (argv, host) => (host.users.delete(argv.at(-1) ?? "") ? 0 : { code: 6, stderr: "no such user" }),
  passwd: ([, , name = ""], host) => {
    const user = host.users.get(name);
    return user ? { stdout: `${name} ${user.isLocked ? "L" : "P"} 2026-01-31 0 99999 7 -1\n` } : 1;
  },
  groupadd: (argv, host) => {
    const name = argv.at(-1) ?? "";
    if (host.groups.has(name)) return { code: 9, stderr: `group '${name}' already exists` };
    host.groups.set(name, { gid: Number(option(argv, "--gid") ?? 1000 + host.groups.size), members: [] });
    return 0;
  },
  groupmod: (argv, host) => {
    const name = argv.at(-1) ?? "";
    const found = host.groups.get(name);
    if (!found) return { code: 6, stderr: `group '${name}' does not exist` };
    host.groups.set(name, { ...found, gid: Number(option(argv, "--gid")) });
    return 0;
  },
  groupdel: ([, name = ""], host) => (host.groups.delete(name) ? 0 : 6),
  locale: (_argv, host) => ({ stdout: [...host.locales, ""].join("\n") }),
  "locale-gen": (_argv, host) => {
    const lines = (host.files.read("/etc/locale.gen") ?? "").split("\n");
    for (const [name] of lines.filter((line) => !line.startsWith("#")).map((line) => line.split(" "))) {
      if (name) host.locales.add(name.replace("UTF-8", "utf8"));
    }
  },
  "update-locale": ([, setting = ""], host) => host.files.write("/etc/default/locale", `${setting}\n`),
  ls: ([, path = ""], host) => (path.startsWith("/usr/share/zoneinfo/") || host.files.stat(path) ? 0 : 2),
  openssl: (argv, host) => host.files.write(option(argv, "-out") ?? "/dev/null", "PARAMETERS\n"),
  addgroup: ([, name = ""], host) => void host.groups.set(name, { gid: 1001, members: [] }),
  getent: ([, , name = ""], host) => (host.groups.has(name) ? 0 : 2),
  newaliases: () => 0,
  cat: ([, ...paths], host) => {
    const texts = paths.map((path) => host.files.read(path));
    return { code: texts.includes(undefined) ? 1 : 0, stdout: texts.join("") };
  },
};

/** `provision-apt LOCK-SECONDS LISTS-MINUTES VERB [ARGUMENT…]`; what it installs has version 1.0 unless told. */
function apt([, , , verb, ...rest]: readonly string[], host: FakeHost): void {
  const names = rest.filter((name, at) => !name.startsWith("-") && rest[at - 1] !== "-o");
  if (verb === "repair") {
    for (const [name, found] of host.packages) {
      if (found.status === "unpacked") host.packages.set(name, { ...found, status: "installed" });
    }
  }
  for (const name of names) {
    const isGoing = verb !== "install" || name.endsWith("-");
    const [bare = "", version = "1.0"] = name.replace(/-$/, "").split("=");
    const found = host.packages.get(bare);
    if (!isGoing) host.packages.set(bare, { version, status: "installed" });
    else if (verb === "purge") host.packages.delete(bare);
    else if (found) host.packages.set(bare, { ...found, status: "config-files" });
  }
}

function broken(host: FakeHost): string {
  const names = [...host.packages].filter(([, { status }]) => status === "unpacked").map(([name]) => name);
  return names.map((name) => `iU  ${name}\n`).join("");
}

function dpkgQuery(names: readonly string[], { packages }: FakeHost) {
  const lines = names.flatMap((name) => {
    const found = packages.get(name);
    return found ? [`${found.status} ${name}\n`] : [];
  });
  return { code: lines.length === names.length ? 0 : 1, stdout: lines.join("") };
}

function mount(argv: readonly string[], host: FakeHost): number {
  const target = argv.at(-1) ?? "";
  if (argv[1] === "-o") {
    const found = host.mounts.get(target);
    if (!found) return 32;
    const turned = (argv[2] ?? "").split(",").slice(1);
    const kept = found.options.filter((one) => one !== "ro" && one !== "rw");
    host.mounts.set(target, { ...found, options: [...kept, ...turned] });
    return 0;
  }
  const fields = (host.files.read("/etc/fstab") ?? "").split("\n").map((line) => line.split(" "));
  const line = fields.find(([, mountPoint]) => mountPoint === target);
  if (!line || !host.files.stat(target)) return 32;
  const [source = "", , fsType = "", options = ""] = line;
  host.mounts.set(target, { source, fsType, options: options.split(",") });
  return 0;
}

function useradd(argv: readonly string[], host: FakeHost): number {
  const name = argv.at(-1) ?? "";
  if (host.users.has(name)) return 9;
  const group = option(argv, "--gid") ?? name;
  if (group === name) host.groups.set(name, { gid: 1000 + host.groups.size, members: [] });
  host.users.set(name, {
    uid: Number(option(argv, "--uid") ?? 1000 + host.users.size),
    group,
    comment: option(argv, "--comment") ?? "",
    home: option(argv, "--home-dir") ?? `/home/${name}`,
    shell: option(argv, "--shell") ?? "/bin/sh",
    groups: (option(argv, "--groups") ?? "").split(",").filter(Boolean).toSorted(),
    isLocked: true,
  });
  return 0;
}

function usermod(argv: readonly string[], host: FakeHost): number {
  const name = argv.at(-1) ?? "";
  const user = host.users.get(name);
  if (!user) return 6;
  host.users.set(name, {
    uid: Number(option(argv, "--uid") ?? user.uid),
    group: option(argv, "--gid") ?? user.group,
    comment: option(argv, "--comment") ?? user.comment,
    home: option(argv, "--home") ?? user.home,
    shell: option(argv, "--shell") ?? user.shell,
    groups: (option(argv, "--groups") ?? user.groups.join(",")).split(",").filter(Boolean).toSorted(),
    isLocked: user.isLocked || argv.includes("--lock"),
  });
  return 0;
}

function option(argv: readonly string[], name: string): string | undefined {
  const at = argv.indexOf(name);
  return at === -1 ? undefined : argv[at + 1];
}

const kernel = "6.12.0-amd64";

/** What the hook puts into each initramfs: the beginning of the digest of hook and script. */
function makeInitramfs(_argv: readonly string[], { files }: FakeHost): void {
  const { hook, script } = readOnlyRoot;
  const made = [hook, script].map(({ path }) => files.read(path) ?? "").join("");
  files.write(`/boot/initrd.img-${kernel}`, digestOf(made).slice(0, 16));
}

function listInitramfs(_argv: readonly string[], { files }: FakeHost) {
  const images = files.paths().filter((path) => path.startsWith("/boot/initrd.img-"));
  return { stdout: images.map((path) => `${path} ${files.read(path)}\n`).join("") };
}
