import { join } from "node:path";
import process from "node:process";

import { ProvisionError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";
import { baseKey, prepareBase, type Base } from "../image/base-image.ts";
import { baseSettings } from "../image/base-settings.ts";
import type { Workshop } from "../image/workshop.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import { templateRenderer } from "../spec/render-template.ts";
import { findProject, packageRoot } from "./project.ts";
import type { Shell } from "./shell.ts";
import { loadVersions } from "./versions.ts";

/** Flags of commands that boot guests. */
export interface GuestFlags {
  readonly accel?: string;
  readonly connect?: string;
  readonly network?: string;
}

/** A workshop on this machine, with the bases of versions.yaml. */
export interface LocalWorkshop extends Workshop {
  readonly cacheDir: string;
  openDriver(run: Run): Promise<LibvirtDriver>;
  baseKey(name: string): Promise<string>;
  prepareBase(name: string, run: Run): Promise<Base>;
}

/** Builds the workshop out of flags and environment; connects to nothing yet. */
export function openWorkshop(shell: Shell, flags: GuestFlags): LocalWorkshop {
  const project = findProject(shell);
  const { env, home } = shell;
  const { cacheDir, aptBucketDays, mirrors } = baseSettings({ env, home, isRoot: process.getuid?.() === 0 });
  // What ships with provision: seal, domain, base. The project's own templates are for its specs.
  const renderTemplate = templateRenderer(join(packageRoot(), "templates"));
  const bases = async () => ({
    manifest: await loadVersions(shell),
    templates: renderTemplate,
    aptBucketDays,
    mirrors,
  });
  const accelerator = accel(flags.accel ?? env["PROVISION_ACCEL"]);
  return {
    store: project.imagesDir,
    workDir: join(cacheDir, "work"),
    cacheDir,
    network: flags.network ?? "default",
    renderTemplate,
    async openDriver() {
      const { openDriver } = await import("../libvirt/libvirt-driver.ts");
      const uri = flags.connect ?? env["LIBVIRT_DEFAULT_URI"] ?? "qemu:///system";
      return openDriver(uri, { render: renderTemplate, cacheFolder: cacheDir, accelerator });
    },
    baseKey: async (name) => baseKey(name, await bases()),
    prepareBase: async (name, run) => prepareBase(name, { ...(await bases()), cacheDir, run }),
  };
}

function accel(wish: string | undefined): string | undefined {
  if (wish === undefined || ["auto", "kvm", "tcg"].includes(wish)) return wish;
  throw new ProvisionError("SETTING_INVALID", {
    name: "PROVISION_ACCEL",
    wanted: "auto, kvm or tcg",
    got: wish,
  });
}
