import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { appliesTo, distributionNamed } from "../core/distribution.ts";
import { findBase } from "../image/base-image.ts";
import type { BuildRequest } from "../image/build-image.ts";
import { digestFolders, digestUses } from "../image/build-inputs.ts";
import { checkRoom } from "../image/disk-room.ts";
import { specSources } from "../spec/spec-sources.ts";
import type { DirectFlags } from "./command.ts";
import { lazyManifest, loadSpec } from "./compose.ts";
import { openPins } from "./open-pins.ts";
import { noSecrets } from "./open-secrets.ts";
import { packageVersion } from "./package-version.ts";
import { findTemplates, packageRoot } from "./project.ts";
import type { Shell } from "./shell.ts";
import type { LocalWorkshop } from "./workshop.ts";

/** The code that decides what an image holds: the rest of provision may change without a rebuild. */
const deciding = ["tasks", "provisioner/core", "provisioner/host", "provisioner/image"];

/** Reads a spec and all that a build of it depends on; opens no connection. */
export async function readBuildRequest(
  flags: DirectFlags & { readonly spec: string },
  shell: Shell,
  shop: LocalWorkshop,
): Promise<Omit<BuildRequest, "force" | "verify" | "keepOnError" | "prepareMachine">> {
  const manifest = lazyManifest(shell);
  const loaded = await loadSpec(flags.spec, shell, { manifest });
  const { spec, recipe, files } = loaded;
  const sources = specSources(loaded, findTemplates(shell), {
    ...openPins(shell, manifest, flags),
    ...noSecrets,
  });
  const code = fileURLToPath(new URL("../../", import.meta.url));
  const entry = findBase(spec.base, manifest());
  const { distribution } = entry;
  checkRoom(entry, { base: spec.base, ...spec.disk });
  const readOnlyRoot = recipe.some(
    ({ task, when }) => task.name === "readonly-root" && appliesTo(when, distributionNamed(distribution)),
  );
  const [base, uses, codeDigest] = await Promise.all([
    shop.baseKey(spec.base),
    digestUses(recipe, sources, distribution),
    digestFolders([...deciding.map((folder) => join(code, folder)), join(packageRoot(), "templates")]),
  ]);
  return {
    name: spec.name,
    recipe,
    distribution,
    sources,
    readOnlyRoot,
    tools: uses.pins,
    needs: spec.disk.needs,
    machine: { ...spec.builder, diskGiB: spec.disk.sizeGiB },
    specs: files.map(({ yaml, sha256 }) => ({ file: yaml.file, sha256 })),
    inputs: {
      name: spec.name,
      base,
      diskGiB: spec.disk.sizeGiB,
      readOnlyRoot,
      ...uses.inputs,
      code: codeDigest,
    },
    prepareBase: (run) => shop.prepareBase(spec.base, run),
    provisionVersion: packageVersion(),
  };
}
