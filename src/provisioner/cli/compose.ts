import { existsSync } from "node:fs";

import { tasks } from "../../tasks/index.ts";
import type { Task } from "../core/task.ts";
import { nameFormat, sourceFormat } from "../spec/formats.ts";
import { loadImageSpec } from "../spec/image-spec.ts";
import type { LoadedSpec } from "../spec/image-spec.ts";
import { findSpec } from "../spec/read-spec-files.ts";
import { templateNames } from "../spec/render-template.ts";
import { findProject, shownPath } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Every task a spec can name. */
export const registry: readonly Task[] = tasks;

/** Loads a spec by name or path, checked against the tasks, templates and files there really are. */
export async function loadSpec(spec: string, shell: Pick<Shell, "env" | "cwd">): Promise<LoadedSpec> {
  const project = findProject(shell);
  const path = await findSpec(spec, project.specsDir);
  const templates = existsSync(project.templatesDir) ? templateNames(project.templatesDir) : [];
  return loadImageSpec(path, {
    tasks: registry,
    formats: (sourceDirs) => ({
      template: nameFormat("template", templates),
      source: sourceFormat(sourceDirs),
    }),
    show: (file) => shownPath(file, shell.cwd),
  });
}
