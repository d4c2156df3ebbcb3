import type { FactAnswer } from "../../core/facts.ts";
import { lines, usual, whyFailed, type Reader } from "./reader.ts";

/**
 * Kernel modules: a directory in /sys/module, or a line in the running kernel's list of what is built in
 * (without parameters such a module has no directory). The directories are looked for by the shell itself.
 */
export const module: Reader = {
  kind: "module",
  ...usual,
  refuse: (name) =>
    /^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name) ? undefined : "is not the name of a kernel module",
  script: (names) => `if [ -d /sys/module ]; then
  echo sysfs
  for m in ${names.map(underscored).join(" ")}; do [ ! -d "/sys/module/$m" ] || echo "loaded $m"; done
  read -r kernel </proc/sys/kernel/osrelease
  [ ! -r "/lib/modules/$kernel/modules.builtin" ] || { echo built-in; t cat "/lib/modules/$kernel/modules.builtin"; }
fi`,

  parse(section, names) {
    const failed = whyFailed(section);
    const said = lines(section.stdout.toString());
    const listed = said.indexOf("built-in");
    const there = new Set(
      said.flatMap((line) => {
        const found = /^(?:loaded |kernel\/.*\/)([^/.]+)/.exec(line);
        return found ? [underscored(found[1] ?? "")] : [];
      }),
    );
    return names.map((name): FactAnswer => {
      if (failed) return { unknown: failed };
      if (!said.includes("sysfs")) return { unknown: "/sys is not mounted" };
      if (there.has(underscored(name))) return { value: true };
      return listed === -1
        ? { unknown: "the running kernel has no list of what is built in" }
        : { value: false };
    });
  },
};

/** As the kernel names modules, whatever their files are called. */
function underscored(name: string): string {
  return name.replaceAll("-", "_");
}
