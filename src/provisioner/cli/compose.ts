import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { tasks } from "../../tasks/index.ts";
import type { Task } from "../core/task.ts";
import type { Manifest } from "../pins/manifest.ts";
import { readManifest } from "../pins/read-manifest.ts";
import { nameFormat, sourceFormat } from "../spec/formats.ts";
import { loadImageSpec } from "../spec/image-spec.ts";
import type { LoadedSpec } from "../spec/image-spec.ts";
import { findSpec } from "../spec/read-spec-files.ts";
import { templateNames } from "../spec/render-template.ts";
import { findProject, shownPath } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Every task a spec can name. */
export const registry: readonly Task[] = tasks;

/** Reads versions.yaml; everything that is wrong with it at once. */
export async function loadManifest(shell: Pick<Shell, "env" | "cwd">): Promise<Manifest> {
  const { versionsFile } = findProject(shell);
  return readManifest(await readFile(versionsFile, "utf8"), shownPath(versionsFile, shell.cwd));
}

/**
 * Loads a spec by name or path, checked against the tasks, templates and files there really are; against the bases
 * of versions.yaml too, unless `anyBase` says that none will be used.
 */
export async function loadSpec(
  spec: string,
  shell: Pick<Shell, "env" | "cwd">,
  { anyBase = false }: { readonly anyBase?: boolean } = {},
): Promise<LoadedSpec> {
  const project = findProject(shell);
  const path = await findSpec(spec, project.specsDir);
  const templates = templateNames(project.templatesDir);
  // A folder of specs without pins is fine to look at; only a build needs its bases.
  const bases =
    anyBase || !existsSync(project.versionsFile) ? undefined : Object.keys((await loadManifest(shell)).bases);
  return loadImageSpec(path, {
    tasks: registry,
    formats: (sourceDirs) => ({
      ...(bases && { base: nameFormat("base", bases) }),
      template: nameFormat("template", templates),
      source: sourceFormat(sourceDirs),
    }),
    show: (file) => shownPath(file, shell.cwd),
  });
}
