import type { Command } from "commander";

import { parallelOption } from "./width.ts";

/** Flags of commands that work on several hosts. */
export interface WidthFlags {
  readonly parallel?: string;
}

/** Declares which hosts a command takes. */
export function declareHosts(command: Command): Command {
  return command
    .argument("[HOST...]", "hosts of hosts/, or deployed ones that have no file there")
    .option("--all", "every host of hosts/")
    .option(
      "--limit <label=value>",
      "those whose label is this; label!=value: is not; may be given again, and all must fit",
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option(...connectOption)
    .option(...parallelOption);
}

/** `--connect`, for hosts whose files name no hypervisor. */
export const connectOption = [
  "--connect <uri>",
  "libvirt of hosts whose files name none (default: qemu:///system)",
] as const;
