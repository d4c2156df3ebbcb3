import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { goneFiles, packageNames } from "./target-root.ts";

/** One thing that both contenders settle: a use of the spec, some lines of the scripts. */
export type Item =
  | { readonly kind: "packages"; readonly names: readonly string[] }
  | { readonly kind: "file"; readonly path: string; readonly text: string; readonly mode: string }
  /** Copied from beside the spec. */
  | { readonly kind: "source"; readonly path: string; readonly name: string; readonly text: string }
  | { readonly kind: "directory"; readonly path: string; readonly mode: string }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "group"; readonly name: string; readonly gid: number }
  | { readonly kind: "user"; readonly name: string; readonly uid: number; readonly group: string }
  | { readonly kind: "tmpfiles"; readonly name: string; readonly directory: string }
  | { readonly kind: "sysctl"; readonly key: string; readonly value: string }
  | { readonly kind: "fstab"; readonly mountPoint: string; readonly isMounted: boolean }
  | { readonly kind: "timezone"; readonly name: string }
  | { readonly kind: "absent"; readonly path: string };

/** Items in one block; a spec is whole blocks. */
const blockSize = 30;
/** Blocks there are names for. */
const mostBlocks = goneFiles.length;

/**
 * Settings that every kernel has. The wanted value is the running one: the kernel belongs to this machine. Not
 * fs.file-max and fs.nr_open, which a systemd that starts raises.
 */
const keys = [
  ["vm.swappiness", "vm.dirty_ratio"],
  ["vm.dirty_background_ratio", "vm.overcommit_memory"],
  ["vm.max_map_count", "vm.vfs_cache_pressure"],
  ["fs.aio-max-nr", "fs.pipe-max-size"],
  ["fs.inotify.max_user_watches", "fs.inotify.max_queued_events"],
  ["kernel.panic", "kernel.threads-max"],
  ["kernel.panic_on_oops", "kernel.randomize_va_space"],
  ["fs.lease-break-time", "vm.page-cluster"],
] as const;

/** A server's worth of items of every kind that needs no systemd, the more the longer. */
export function itemsOf(count: number): readonly Item[] {
  const blocks = count / blockSize;
  if (!Number.isInteger(blocks) || blocks < 1 || blocks > mostBlocks)
    throw new Error(
      `Cannot make ${count} items: must be a multiple of ${blockSize} up to ${blockSize * mostBlocks}`,
    );
  const first: readonly Item[] = [
    { kind: "packages", names: packageNames.slice(0, blocks * 5) },
    { kind: "timezone", name: "Europe/Berlin" },
    { kind: "directory", path: "/etc/bench", mode: "0755" },
  ];
  const items = [...first];
  for (let block = 0; block < blocks; block++) items.push(...blockOf(block));
  // The first items take the place of the last block's.
  return items.slice(0, count);
}

function blockOf(block: number): readonly Item[] {
  const number = (at: number) => String(block * 100 + at).padStart(3, "0");
  const [one, other] = keys[block] ?? keys[0];
  const sizes = [120, 300, 800, 1500, 2500, 4000, 4000, 8000, 8000, 16_000, 32_000, 65_000];
  const source = `blob-${number(0)}`;
  return [
    ...[0, 1, 2].map((at): Item => ({
      kind: "group",
      name: `benchg${number(at)}`,
      gid: 3000 + block * 100 + at,
    })),
    ...[0, 1].map((at): Item => {
      const name = `benchu${number(at)}`;
      return { kind: "user", name, uid: 3000 + block * 100 + at, group: `benchg${number(at)}` };
    }),
    ...[0, 1, 2].map((at): Item => {
      return { kind: "directory", path: `/srv/bench-${number(at)}`, mode: at === 0 ? "0750" : "0755" };
    }),
    ...sizes.map((size, at): Item => {
      const path = `/etc/bench/${number(at)}.conf`;
      const text = textOf(path, size);
      // Nobody writes pages of text into a spec.
      if (size > 4000) return { kind: "source", path, name: `conf-${number(at)}`, text };
      return { kind: "file", path, text, mode: at === 0 ? "0600" : "0644" };
    }),
    { kind: "source", path: `/srv/bench-${number(1)}/blob`, name: source, text: textOf(source, 256 * 1024) },
    ...[0, 1, 2].map((at): Item => {
      return { kind: "symlink", path: `/opt/bench-${number(at)}`, target: `/etc/bench/${number(at)}.conf` };
    }),
    { kind: "sysctl", key: one, value: runningValue(one) },
    { kind: "sysctl", key: other, value: runningValue(other) },
    { kind: "tmpfiles", name: `bench-${number(0)}`, directory: `/var/cache/bench-${number(0)}` },
    { kind: "fstab", mountPoint: `/mnt/bench-${number(0)}`, isMounted: block === 0 },
    { kind: "absent", path: goneFiles[block] ?? "" },
    { kind: "symlink", path: `/opt/bench-${number(3)}`, target: "nowhere" },
  ];
}

/** Lines that no compression makes short and no shell takes for its own. */
function textOf(name: string, size: number): string {
  const lines: string[] = [];
  for (let length = 0, at = 0; length < size; at++) {
    const line = createHash("sha512").update(`${name} ${at}`).digest("base64").slice(0, 79);
    lines.push(line);
    length += line.length + 1;
  }
  return `${lines.join("\n")}\n`;
}

function runningValue(key: string): string {
  return readFileSync(`/proc/sys/${key.replaceAll(".", "/")}`, "utf8").trim();
}
