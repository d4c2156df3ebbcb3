import { join } from "node:path";

import { stringify } from "yaml";

import type { Item } from "../items.ts";
import { fstabLine, tmpfilesFile, sysctlFile, zone } from "../scripts.ts";
import { mountOf } from "../write-spec.ts";

type Step = Readonly<Record<string, unknown>>;

/** Where the playbook finds files to copy, and whether it asks the machines what they are before it begins. */
export interface PlaybookOptions {
  readonly files: string;
  readonly gathersFacts: boolean;
}

/**
 * The items as a playbook, with what ansible-core brings: one step for each item, two where its modules make it so. Like
 * most playbooks it does not look at the running kernel: settings and mounts are made by handlers when their file changes.
 */
export function playbook(items: readonly Item[], options: PlaybookOptions): string {
  const play = {
    hosts: "all",
    gather_facts: options.gathersFacts,
    tasks: items.flatMap((item) => steps(item, options)),
    handlers: items.flatMap(handlers),
  };
  return stringify([play], { lineWidth: 0 });
}

function steps(item: Item, { files }: PlaybookOptions): readonly Step[] {
  const owned = { owner: "root", group: "root" };
  switch (item.kind) {
    case "packages":
      return [
        step("packages", "apt", {
          name: item.names,
          state: "present",
          // The lists are fetched once in an hour, and when they are missing.
          update_cache: true,
          cache_valid_time: 3600,
          install_recommends: false,
        }),
      ];
    case "file":
      return [copy(item.path, item.text, item.mode)];
    case "source":
      return [
        step(item.path, "copy", { dest: item.path, src: join(files, item.name), mode: "0644", ...owned }),
      ];
    case "directory":
      return [step(item.path, "file", { path: item.path, state: "directory", mode: item.mode, ...owned })];
    case "symlink":
      return [link(item.path, item.target)];
    case "group":
      return [step(item.name, "group", { name: item.name, gid: item.gid })];
    case "user": {
      const { name, uid, group } = item;
      const account = { name, uid, group, groups: ["adm"], shell: "/bin/sh", home: `/home/${name}` };
      return [step(name, "user", { ...account, comment: "Bench" })];
    }
    case "tmpfiles": {
      const { path, text } = tmpfilesFile(item);
      return [{ ...copy(path, text, "0644"), notify: `make ${path}` }];
    }
    case "sysctl": {
      const { path, text } = sysctlFile(item);
      return [{ ...copy(path, text, "0644"), notify: `set ${path}` }];
    }
    case "fstab": {
      const { mountPoint, isMounted } = item;
      const line = step(mountPoint, "lineinfile", { path: "/etc/fstab", line: fstabLine(item) });
      if (!isMounted) return [line];
      // Once it is mounted, the mount point's mode is the mounted one's.
      return [
        step(`${mountPoint} to mount on`, "command", { cmd: `mkdir -p ${mountPoint}`, creates: mountPoint }),
        { ...line, notify: `mount ${mountOf(item).mountPoint}` },
      ];
    }
    case "timezone":
      return [link("/etc/localtime", zone(item.name)), copy("/etc/timezone", `${item.name}\n`, "0644")];
    case "absent":
      return [step(item.path, "file", { path: item.path, state: "absent" })];
    default:
      return item satisfies never;
  }
}

function handlers(item: Item): readonly Step[] {
  switch (item.kind) {
    case "tmpfiles": {
      const { path } = tmpfilesFile(item);
      return [step(`make ${path}`, "command", `systemd-tmpfiles --create ${path}`)];
    }
    case "sysctl": {
      const { path } = sysctlFile(item);
      return [step(`set ${path}`, "command", `sysctl -p ${path}`)];
    }
    case "fstab":
      return item.isMounted ? [step(`mount ${item.mountPoint}`, "command", `mount ${item.mountPoint}`)] : [];
    default:
      return [];
  }
}

function step(name: string, module: string, params: unknown): Step {
  return { name, [`ansible.builtin.${module}`]: params };
}

function copy(dest: string, content: string, mode: string): Step {
  return step(dest, "copy", { dest, content, mode, owner: "root", group: "root" });
}

function link(path: string, src: string): Step {
  return step(path, "file", { path, src, state: "link", force: true });
}
