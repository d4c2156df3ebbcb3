import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { makeTarGz } from "./make-archive.ts";
import { openToolProject, type ToolProject } from "./tool-project.ts";

const shipped = join(import.meta.dirname, "../..");

/** The versions.yaml that ships. */
export async function shippedPins(): Promise<Manifest> {
  return parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
}

/** The shipped specs, templates and drivers, with an exporter of ours in place of the one that is downloaded. */
export async function openNvidiaProject(): Promise<ToolProject> {
  const { bases, drivers = {}, tools = {} } = await shippedPins();
  const name = "nvidia_gpu_exporter";
  const { version = "", system = false } = tools[name] ?? {};
  const project = await openToolProject();
  await project.pin({
    name,
    file: `${name}.tar.gz`,
    body: makeTarGz([{ path: name, mode: 0o755, body: `#!/bin/sh\nexec sleep infinity\n` }]),
    entry: { version, binary: name, system },
  });
  const file = join(project.home, "versions.yaml");
  const pinned = parse(await readFile(file, "utf8")) as Manifest;
  await writeFile(file, stringify({ ...pinned, bases, drivers }));
  for (const folder of ["specs", "templates"])
    await cp(join(shipped, folder), join(project.home, folder), { recursive: true });
  return project;
}
