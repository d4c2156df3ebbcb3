import { join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { baseSettings } from "../image/base-settings.ts";
import type { ConnectionOptions } from "../libvirt/connection.ts";
import { openDriver } from "../libvirt/libvirt-driver.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import { templateRenderer } from "../spec/render-template.ts";
import { packageRoot } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Flags of commands that boot guests. */
export interface GuestFlags {
  readonly accel?: string;
  readonly connect?: string;
  readonly network?: string;
}

/** Where libvirt is when no host's file says it: --connect, PROVISION_LIBVIRT, else this machine's own. */
export function hypervisorUri({ env }: Pick<Shell, "env">, flags: Pick<GuestFlags, "connect"> = {}): string {
  return flags.connect ?? (env["PROVISION_LIBVIRT"] || "qemu:///system");
}

/** Opens libvirt where flags or environment say it is. */
export async function openHypervisor(
  shell: Shell,
  flags: GuestFlags = {},
  deadlines: ConnectionOptions = {},
): Promise<LibvirtDriver> {
  const { env } = shell;
  return openDriver(hypervisorUri(shell, flags), {
    ...deadlines,
    render: templateRenderer(join(packageRoot(), "templates")),
    cacheFolder: baseSettings(shell).cacheDir,
    accelerator: checkWish(flags.accel ?? env["PROVISION_ACCEL"]),
    cpus: checkCpus(env["PROVISION_CPUS"]),
  });
}

/** Within the bounds of a spec's `builder.cpus`. */
function checkCpus(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 256) return count;
  throw new ProvisionError("SETTING_INVALID", {
    name: "PROVISION_CPUS",
    wanted: "a whole number of processors, 1 to 256",
    got: text,
  });
}

function checkWish(wish: string | undefined): string | undefined {
  if (wish === undefined || ["auto", "kvm", "tcg"].includes(wish)) return wish;
  throw new ProvisionError("SETTING_INVALID", {
    name: "PROVISION_ACCEL",
    wanted: "auto, kvm or tcg",
    got: wish,
  });
}
