import { createHash } from "node:crypto";

import type { Item } from "../items.ts";
import { fstabLine, sysctlFile, tmpfilesFile, zone } from "../scripts.ts";

/**
 * Looks at every item by itself, on the machine and without any contender's help: a line for each that is not there,
 * then how many are. Slow, and not measured.
 */
export function verifyScript(items: readonly Item[]): string {
  return [
    "good=0",
    'item() { if eval "$2" >/dev/null 2>&1; then good=$((good + 1)); else echo "missing: $1"; fi; }',
    ...items.map((item) => `item '${nameOf(item)}' '${escaped(conditions(item).join(" && "))}'`),
    'echo "good: $good"',
    "",
  ].join("\n");
}

/** Throws unless the script found all items but so many. */
export function mustBeThere(printed: string, items: readonly Item[], drifted = 0): void {
  if (printed.trim().endsWith(`good: ${items.length - drifted}`)) return;
  throw new Error(
    `not made as wanted: of ${items.length} items ${drifted} may be missing:\n${printed.slice(0, 500)}`,
  );
}

function nameOf(item: Item): string {
  if ("path" in item) return `${item.kind} ${item.path}`;
  if ("name" in item) return `${item.kind} ${item.name}`;
  if (item.kind === "sysctl") return `sysctl ${item.key}`;
  return item.kind === "fstab" ? `fstab ${item.mountPoint}` : item.kind;
}

function conditions(item: Item): readonly string[] {
  switch (item.kind) {
    case "packages":
      return item.names.flatMap((name) => [
        `dpkg -s ${name} | grep -qx "Status: install ok installed"`,
        `test -s /usr/share/${name}/text`,
      ]);
    case "file":
      return isFile(item.path, item.text, item.mode);
    case "source":
      return isFile(item.path, item.text, "0644");
    case "directory":
      return [`test -d ${item.path}`, hasAttributes(item.path, item.mode)];
    case "symlink":
      return [`test -L ${item.path}`, `test "$(readlink ${item.path})" = ${item.target}`];
    case "group":
      return [`grep -q "^${item.name}:[^:]*:${item.gid}:" /etc/group`];
    case "user": {
      const { name, uid, group } = item;
      return [
        `grep -q "^${name}:[^:]*:${uid}:${uid}:Bench:/home/${name}:/bin/sh\\$" /etc/passwd`,
        `test "$(id -gn ${name})" = ${group}`,
        `id -nG ${name} | tr " " "\\n" | grep -qx adm`,
        `test -d /home/${name}`,
        `test "$(stat -c %U /home/${name})" = ${name}`,
      ];
    }
    case "tmpfiles": {
      const { path, text } = tmpfilesFile(item);
      return [...isFile(path, text, "0644"), `test -d ${item.directory}`];
    }
    case "sysctl": {
      const { path, text } = sysctlFile(item);
      const place = `/proc/sys/${item.key.replaceAll(".", "/")}`;
      return [...isFile(path, text, "0644"), `test "$(cat ${place})" = "${item.value}"`];
    }
    case "fstab":
      return [
        `grep -qxF "${fstabLine(item)}" /etc/fstab`,
        ...(item.isMounted ? [`grep -q " ${item.mountPoint} tmpfs " /proc/self/mounts`] : []),
      ];
    case "timezone":
      return [
        `test "$(readlink -f /etc/localtime)" = "$(readlink -f ${zone(item.name)})"`,
        `test "$(cat /etc/timezone)" = ${item.name}`,
      ];
    case "absent":
      return [`! test -e ${item.path}`, `! test -L ${item.path}`];
    default:
      return item satisfies never;
  }
}

function isFile(path: string, text: string, mode: string): readonly string[] {
  const digest = createHash("sha256").update(text).digest("hex");
  return [
    `test -f ${path}`,
    `echo "${digest}  ${path}" | sha256sum --check --status`,
    hasAttributes(path, mode),
  ];
}

function hasAttributes(path: string, mode: string): string {
  return `test "$(stat -c "%a %u %g" ${path})" = "${mode.replace(/^0+/, "")} 0 0"`;
}

/** Conditions stand in single quotes. */
function escaped(text: string): string {
  return text.replaceAll("'", String.raw`'\''`);
}
