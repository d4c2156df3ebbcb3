import type { Manifest } from "../pins/manifest.ts";
import { findHost } from "../spec/find-hosts.ts";
import { type LoadedHost, loadHostSpec } from "../spec/host-spec.ts";
import { imageFormat } from "../spec/image-format.ts";
import { keyFileFormat } from "../spec/public-key.ts";
import { specNames } from "../spec/read-spec-files.ts";
import { lazyManifest, registry, useFormats } from "./compose.ts";
import { findProject, shownPath } from "./project.ts";
import type { Shell } from "./shell.ts";

/** Loads a host by name or path, checked against the specs, tasks, templates, pins and files there really are. */
export async function loadHost(
  host: string,
  shell: Pick<Shell, "env" | "cwd">,
  manifest: () => Manifest = lazyManifest(shell),
): Promise<LoadedHost> {
  const { hostsDir, specsDir } = findProject(shell);
  const [path, specs] = await Promise.all([findHost(host, hostsDir), specNames(specsDir)]);
  return loadHostSpec(path, {
    tasks: registry,
    formats: (sourceDirs) => ({
      image: imageFormat(specs),
      "key-file": keyFileFormat(sourceDirs[0] ?? hostsDir),
      ...useFormats(shell, manifest, sourceDirs),
    }),
    show: (file) => shownPath(file, shell.cwd),
  });
}
