import { join } from "node:path";

import type { Run } from "../core/run.ts";
import { baseKey, prepareBase, type Base } from "../image/base-image.ts";
import { baseSettings } from "../image/base-settings.ts";
import { bootGuest } from "../image/boot-guest.ts";
import type { Workshop } from "../image/workshop.ts";
import type { LibvirtDriver } from "../libvirt/libvirt-driver.ts";
import { fetchFor } from "../pins/http.ts";
import { templateRenderer } from "../spec/render-template.ts";
import { loadManifest } from "./compose.ts";
import { openHypervisor, type GuestFlags } from "./open-hypervisor.ts";
import { findProject, packageRoot } from "./project.ts";
import type { Shell } from "./shell.ts";

/** A workshop on this machine, with the bases of versions.yaml. */
export interface LocalWorkshop extends Workshop {
  readonly cacheDir: string;
  /** Where kept scratch machines lie: not where throw-away ones do. */
  readonly machinesDir: string;
  openDriver(run: Run): Promise<LibvirtDriver>;
  baseKey(name: string): Promise<string>;
  prepareBase(name: string, run: Run): Promise<Base>;
}

/** Builds the workshop out of flags and environment; connects to nothing yet. */
export function openWorkshop(shell: Shell, flags: GuestFlags): LocalWorkshop {
  const project = findProject(shell);
  const { env, home } = shell;
  const { cacheDir, aptBucketDays, mirrors } = baseSettings({ env, home, isRoot: shell.isRoot });
  // What ships with provision: seal, domain, base. The project's own templates are for its specs.
  const renderTemplate = templateRenderer(join(packageRoot(), "templates"));
  const bases = async () => ({
    manifest: await loadManifest(shell),
    templates: renderTemplate,
    aptBucketDays,
    mirrors,
    fetch: fetchFor(env),
  });
  return {
    store: project.imagesDir,
    workDir: join(cacheDir, "work"),
    cacheDir,
    machinesDir: join(cacheDir, "machines"),
    network: flags.network ?? "default",
    renderTemplate,
    openDriver: () => openHypervisor(shell, flags),
    bootGuest,
    baseKey: async (name) => baseKey(name, await bases()),
    prepareBase: async (name, run) => prepareBase(name, { ...(await bases()), cacheDir, run }),
  };
}
