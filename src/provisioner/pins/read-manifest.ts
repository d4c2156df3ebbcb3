import { ProvisionError } from "../core/errors.ts";
import { readYaml } from "../spec/read-yaml.ts";
import type { Problem } from "../spec/read-union.ts";
import { complain, createCheck } from "../spec/validate.ts";
import { checkDrivers } from "./check-drivers.ts";
import { checkRepositories } from "./check-repositories.ts";
import { checkTools } from "./check-tools.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";

/** Reads the text of versions.yaml; everything that is wrong with it at once. `file` is its name for people. */
export function readManifest(text: string, file: string): Manifest {
  const yaml = readYaml(text, file);
  const problems = createCheck()(yaml.value, manifestSchema, []);
  const manifest = yaml.value as Manifest;
  const deeper = problems.length === 0 ? inDepth(manifest) : problems;
  const complaints = yaml.complaints.length > 0 ? yaml.complaints : complain(yaml, deeper);
  if (complaints.length > 0) {
    const mend = "Correct versions.yaml; schema/versions.schema.json says what it takes";
    throw new ProvisionError(
      "SPEC_INVALID",
      { complaints, mend },
      complaints.length === 1 && complaints[0] ? { where: complaints[0].where } : {},
    );
  }
  return manifest;
}

function inDepth(manifest: Manifest): readonly Problem[] {
  return [...checkTools(manifest), ...checkDrivers(manifest), ...checkRepositories(manifest)];
}
