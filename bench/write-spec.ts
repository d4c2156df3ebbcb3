import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Item } from "./items.ts";

/** Writes the items as a spec, with the files it copies beside it; gives the spec's path. */
export async function writeSpec(items: readonly Item[], folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const item of items) if (item.kind === "source") await writeFile(join(folder, item.name), item.text);
  const path = join(folder, `bench-${items.length}.yaml`);
  const tasks = items.map((item) => JSON.stringify(useOf(item)));
  const lines = tasks.map((task) => `  - ${task}`);
  await writeFile(path, ["base: debian-13", "tasks:", ...lines, ""].join("\n"));
  return path;
}

/** A use as the spec has it; JSON is YAML. */
function useOf(item: Item): unknown {
  switch (item.kind) {
    case "packages":
      return { apt: { name: "packages", present: item.names } };
    case "file":
      return { file: { path: item.path, content: item.text, mode: item.mode } };
    case "source":
      return { file: { path: item.path, source: item.name } };
    case "directory":
      return { directory: { path: item.path, mode: item.mode, owner: "root", group: "root" } };
    case "symlink":
      return { symlink: { path: item.path, target: item.target } };
    case "group":
      return { group: { name: item.name, gid: item.gid } };
    case "user":
      return {
        user: {
          name: item.name,
          uid: item.uid,
          group: item.group,
          groups: ["adm"],
          shell: "/bin/sh",
          home: `/home/${item.name}`,
          comment: "Bench",
        },
      };
    case "tmpfiles":
      return { tmpfiles: { name: item.name, content: tmpfilesText(item) } };
    case "sysctl":
      return { sysctl: { key: item.key, value: item.value } };
    case "fstab":
      return { fstab: { ...mountOf(item), state: item.isMounted ? "mounted" : "present" } };
    case "timezone":
      return { timezone: { name: item.name } };
    case "absent":
      return { absent: { path: item.path } };
    default:
      return item satisfies never;
  }
}

/** What tmpfiles.d holds for an item. */
export function tmpfilesText({ directory }: Extract<Item, { kind: "tmpfiles" }>): string {
  return `d ${directory} 0755 root root -\n`;
}

/** The mount of an item, all of its fields. */
export function mountOf({ mountPoint }: Extract<Item, { kind: "fstab" }>) {
  return { mountPoint, device: "tmpfs", type: "tmpfs", options: "size=1m,nodev,nosuid" };
}
