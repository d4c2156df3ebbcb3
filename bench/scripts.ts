import { createHash } from "node:crypto";

import type { Item } from "./items.ts";
import { mountOf, tmpfilesText } from "./write-spec.ts";

/**
 * The floor: what a good admin would write by hand to see whether all is as wanted. One program for each kind of
 * thing, however many there are; the tables of digests and attributes come with it.
 */
export function checkScript(items: readonly Item[]): string {
  const all = byKind(items);
  const files = contents(items);
  const packages = all("packages").flatMap((item) => item.names);
  const links = all("symlink");
  const settings = all("sysctl");
  const owned = [...files, ...all("directory")];
  return [
    "bad=",
    `same() { [ "$2" = "$3" ] || { bad=1; printf '%s: wanted:\\n%s\\ngot:\\n%s\\n' "$@"; }; } 2>&1`,
    same(
      "packages",
      packages.map((name) => `installed ${name}`),
      `dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' ${packages.join(" ")}`,
    ),
    "sha256sum --check --quiet --strict <<'END' || bad=1",
    ...files.map(({ path, text }) => `${createHash("sha256").update(text).digest("hex")}  ${path}`),
    "END",
    same(
      "attributes",
      owned.map(
        ({ path, ...item }) =>
          `${"text" in item ? "regular file" : "directory"} ${short(item.mode)} root root ${path}`,
      ),
      `stat -c '%F %a %U %G %n' ${owned.map(({ path }) => path).join(" ")}`,
    ),
    same(
      "links",
      [...links.map(({ target }) => target), ...all("timezone").map(({ name }) => zone(name))],
      `readlink ${[...links.map(({ path }) => path), "/etc/localtime"].join(" ")}`,
    ),
    same(
      "groups",
      [
        ...all("group").map(({ name, gid }) => `${name}:x:${gid}:`),
        `adm:x:4:${all("user")
          .map(({ name }) => name)
          .join(",")}`,
      ],
      `getent group ${[...all("group").map(({ name }) => name), "adm"].join(" ")}`,
    ),
    same(
      "users",
      all("user").map(({ name, uid }) => `${name}:x:${uid}:${uid}:Bench:/home/${name}:/bin/sh`),
      `getent passwd ${all("user")
        .map(({ name }) => name)
        .join(" ")}`,
    ),
    same(
      "settings",
      settings.map(({ value }) => value),
      `cat ${settings.map(({ key }) => `/proc/sys/${key.replaceAll(".", "/")}`).join(" ")}`,
    ),
    same(
      "fstab",
      [String(all("fstab").length)],
      `grep -cxF ${all("fstab")
        .map((item) => `-e '${fstabLine(item)}'`)
        .join(" ")} /etc/fstab`,
    ),
    ...all("fstab")
      .filter(({ isMounted }) => isMounted)
      .map(({ mountPoint }) => `mountpoint -q ${mountPoint} || { bad=1; echo ${mountPoint}: not mounted; }`),
    `for path in ${all("absent")
      .map(({ path }) => path)
      .join(" ")}; do`,
    '  [ ! -e "$path" ] || { bad=1; echo "$path: is there"; }',
    "done",
    `[ -z "$bad" ] && echo ${settledWords}`,
    "",
  ].join("\n");
}

/** What the floor prints when all is as wanted. */
export const settledWords = "all as wanted";

/** Makes the same by hand, in one script with all its files in it. For an empty machine; it proves nothing. */
export function makeScript(items: readonly Item[]): string {
  const all = byKind(items);
  return [
    "set -e",
    "export DEBIAN_FRONTEND=noninteractive",
    "apt-get -qq update",
    `apt-get -qq -y --no-install-recommends install ${all("packages")
      .flatMap(({ names }) => names)
      .join(" ")} >/dev/null`,
    ...all("timezone").map(({ name }) => `ln -sfn ${zone(name)} /etc/localtime`),
    ...all("directory").map(({ path, mode }) => `install -d -m ${mode} ${path}`),
    ...all("group").map(({ name, gid }) => `groupadd --gid ${gid} ${name}`),
    ...all("user").map(
      ({ name, uid, group }) =>
        `useradd --uid ${uid} --gid ${group} --groups adm --shell /bin/sh --home-dir /home/${name} --comment Bench --create-home ${name}`,
    ),
    ...contents(items).flatMap(({ path, text, mode }) => [
      `cat >${path} <<'END'`,
      `${text}END`,
      ...(mode === "0644" ? [] : [`chmod ${mode} ${path}`]),
    ]),
    ...all("symlink").map(({ path, target }) => `ln -sfn ${target} ${path}`),
    ...all("tmpfiles").map(({ name }) => `systemd-tmpfiles --create /etc/tmpfiles.d/${name}.conf`),
    ...all("fstab").flatMap((item) => [
      `echo '${fstabLine(item)}' >>/etc/fstab`,
      ...(item.isMounted ? [`mkdir ${item.mountPoint}`, `mount ${item.mountPoint}`] : []),
    ]),
    `rm -f ${all("absent")
      .map(({ path }) => path)
      .join(" ")}`,
    "echo made",
    "",
  ].join("\n");
}

/** Prints all that a contender may have made, so that two results can be compared word by word. */
export const inspectScript = `
find /etc/bench* /etc/sysctl.d /etc/tmpfiles.d /etc/localtime /etc/timezone /opt /srv /home /mnt /var/cache/bench* \\
  /usr/share/bench* -xdev -printf '%y %m %u:%g %p %l\\n' | sort
find /etc/bench* /etc/sysctl.d /etc/tmpfiles.d /etc/timezone /etc/fstab /srv -type f -exec sha256sum {} + | sort -k 2
dpkg-query -W -f '\${db:Status-Abbrev} \${Package} \${Version}\\n'
getent passwd
getent group
grep ' /mnt/' /proc/mounts
`;

type Of<Kind extends Item["kind"]> = Extract<Item, { kind: Kind }>;

function byKind(items: readonly Item[]) {
  return <Kind extends Item["kind"]>(kind: Kind) =>
    items.filter((item): item is Of<Kind> => item.kind === kind);
}

/** Every text file that the items come to, those that tasks make by themselves among them. */
function contents(items: readonly Item[]): readonly { path: string; text: string; mode: string }[] {
  const mode = "0644";
  return items.flatMap((item): { path: string; text: string; mode: string }[] => {
    switch (item.kind) {
      case "file":
        return [{ path: item.path, text: item.text, mode: item.mode }];
      case "source":
        return [{ path: item.path, text: item.text, mode }];
      case "sysctl":
        return [{ ...sysctlFile(item), mode }];
      case "tmpfiles":
        return [{ ...tmpfilesFile(item), mode }];
      case "timezone":
        return [{ path: "/etc/timezone", text: `${item.name}\n`, mode }];
      case "absent":
      case "directory":
      case "fstab":
      case "group":
      case "packages":
      case "symlink":
      case "user":
        return [];
      default:
        return item satisfies never;
    }
  });
}

/** Shell text that compares lines with what a program prints. */
function same(what: string, wanted: readonly string[], program: string): string {
  return `same ${what} '${wanted.join("\n")}' "$(${program} 2>&1)"`;
}

/** The file that keeps a setting across reboots. */
export function sysctlFile({ key, value }: Of<"sysctl">): { readonly path: string; readonly text: string } {
  return { path: `/etc/sysctl.d/90-provision-${key}.conf`, text: `${key} = ${value}\n` };
}

/** The file of tmpfiles.d that an item comes to. */
export function tmpfilesFile(item: Of<"tmpfiles">): { readonly path: string; readonly text: string } {
  return { path: `/etc/tmpfiles.d/${item.name}.conf`, text: tmpfilesText(item) };
}

/** The line of /etc/fstab that an item comes to. */
export function fstabLine(item: Of<"fstab">): string {
  const { device, mountPoint, type, options } = mountOf(item);
  return `${device} ${mountPoint} ${type} ${options} 0 0`;
}

/** Where the data of a time zone is. */
export function zone(name: string): string {
  return `/usr/share/zoneinfo/${name}`;
}

/** As stat(1) prints it. */
function short(mode: string): string {
  return mode.replace(/^0+/, "");
}
