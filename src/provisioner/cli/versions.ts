import { readFile } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import { manifestSchema, type Manifest } from "../pins/manifest.ts";
import { specInvalid } from "../spec/image-spec.ts";
import { readYaml } from "../spec/read-yaml.ts";
import { complain, createCheck } from "../spec/validate.ts";
import { findProject, shownPath } from "./project.ts";
import type { Shell } from "./shell.ts";

/** versions.yaml of the project, checked. */
export async function loadVersions(shell: Pick<Shell, "env" | "cwd">): Promise<Manifest> {
  const { versionsFile } = findProject(shell);
  const file = shownPath(versionsFile, shell.cwd);
  let text: string;
  try {
    text = await readFile(versionsFile, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const what = `Cannot read the pins: there must be a file ${file}, is none`;
    throw new ProvisionError(
      "USAGE",
      { what, mend: "Set PROVISION_HOME to the project's folder" },
      { cause: error },
    );
  }
  const yaml = readYaml(text, file);
  const complaints = [...yaml.complaints];
  if (complaints.length === 0)
    complaints.push(...complain(yaml, createCheck()(yaml.value ?? {}, manifestSchema, [])));
  if (complaints.length > 0) throw specInvalid(complaints);
  return yaml.value as Manifest;
}
