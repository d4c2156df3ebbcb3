import { existsSync, readFileSync } from "node:fs";

import { tasks } from "../../tasks/index.ts";
import type { Task } from "../core/task.ts";
import type { Manifest } from "../pins/manifest.ts";
import { readManifest } from "../pins/read-manifest.ts";
import { type Formats, nameFormat, sourceFormat } from "../spec/formats.ts";
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
  return readManifestOf(shell);
}

/** versions.yaml, read when it is first asked for: most specs need nothing of it. */
export function lazyManifest(shell: Pick<Shell, "env" | "cwd">): () => Manifest {
  let found: Manifest | undefined;
  return () => (found ??= readManifestOf(shell));
}

function readManifestOf(shell: Pick<Shell, "env" | "cwd">): Manifest {
  const { versionsFile } = findProject(shell);
  return readManifest(readFileSync(versionsFile, "utf8"), shownPath(versionsFile, shell.cwd));
}

/**
 * Loads a spec by name or path, checked against the tasks, templates, pins and files there really are; against the
 * bases of versions.yaml and what an image may hold too, unless `forHost` says that none will be made.
 */
export async function loadSpec(
  spec: string,
  shell: Pick<Shell, "env" | "cwd">,
  {
    forHost = false,
    manifest = lazyManifest(shell),
  }: { readonly forHost?: boolean; readonly manifest?: () => Manifest } = {},
): Promise<LoadedSpec> {
  const project = findProject(shell);
  const path = await findSpec(spec, project.specsDir);
  // A folder of specs without pins is fine to look at; only a build needs its bases.
  const isPinned = existsSync(project.versionsFile);
  const bases = forHost || !isPinned ? undefined : Object.keys(manifest().bases);
  return loadImageSpec(path, {
    tasks: registry,
    forImage: !forHost,
    formats: (sourceDirs) => ({
      ...(bases && { base: nameFormat("base", bases) }),
      ...useFormats(shell, manifest, sourceDirs),
    }),
    show: (file) => shownPath(file, shell.cwd),
  });
}

/** What the uses of a file can name. */
export function useFormats(
  shell: Pick<Shell, "env" | "cwd">,
  manifest: () => Manifest,
  sourceDirs: readonly string[],
): Formats {
  const { templatesDir, versionsFile } = findProject(shell);
  const names = (section: "tools" | "repositories") =>
    existsSync(versionsFile) ? Object.keys(manifest()[section] ?? {}) : [];
  return {
    template: nameFormat("template", templateNames(templatesDir)),
    source: sourceFormat(sourceDirs),
    tool: (value) => nameFormat("tool of versions.yaml", names("tools"))(value),
    repository: (value) => nameFormat("repository of versions.yaml", names("repositories"))(value),
  };
}
