import { openDriver } from "../libvirt/libvirt-driver.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import { baseSettings } from "../image/base-settings.ts";
import { templateRenderer } from "../spec/render-template.ts";
import { findProject } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Opens libvirt where the environment says it is: PROVISION_LIBVIRT, else this machine's own. */
export function openHypervisor(shell: Shell): Promise<LibvirtDriver> {
  const { env } = shell;
  return openDriver(env["PROVISION_LIBVIRT"] || "qemu:///system", {
    render: templateRenderer(findProject(shell).templatesDir),
    cacheFolder: baseSettings(shell).cacheDir,
    accelerator: env["PROVISION_ACCEL"],
  });
}
