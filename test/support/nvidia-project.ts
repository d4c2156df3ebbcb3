import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parse, stringify } from "yaml";

import type { Manifest } from "../../src/provisioner/pins/manifest.ts";
import { makeTarGz } from "./make-archive.ts";
import { openSignedRepository } from "./signed-repository.ts";
import { openToolProject, type ToolProject } from "./tool-project.ts";

const shipped = join(import.meta.dirname, "../..");
const exporter = "nvidia_gpu_exporter";
const toolkit = "nvidia-container-toolkit";

/** The versions.yaml that ships. */
export async function shippedPins(): Promise<Manifest> {
  return parse(await readFile(join(shipped, "versions.yaml"), "utf8")) as Manifest;
}

/**
 * The shipped specs, templates and drivers, with an exporter and a toolkit of ours in place of those that are
 * downloaded: the layouts are the vendors', the addresses and the key are not.
 */
export async function openNvidiaProject(): Promise<Pick<ToolProject, "home"> & AsyncDisposable> {
  const { bases, drivers = {}, repositories = {}, tools = {} } = await shippedPins();
  const project = await openToolProject();
  const vendor = await openSignedRepository();
  await vendor.publish({
    name: toolkit,
    version: "9.9.9-1",
    files: { "usr/bin/nvidia-ctk": "#!/bin/sh\nexit 1\n" },
  });
  const key = { url: vendor.keyUrl, fingerprints: [vendor.fingerprint] };
  const uris = [`${vendor.url}/stable/deb/$(ARCH)`];
  project.repositories = { [toolkit]: { ...repositories[toolkit], uris, key } };
  const { version = "", system = false } = tools[exporter] ?? {};
  await project.pin({
    name: exporter,
    file: `${exporter}.tar.gz`,
    body: makeTarGz([{ path: exporter, mode: 0o755, body: "#!/bin/sh\nexec sleep infinity\n" }]),
    entry: { version, binary: exporter, system },
  });
  const file = join(project.home, "versions.yaml");
  const pinned = parse(await readFile(file, "utf8")) as Manifest;
  await writeFile(file, stringify({ ...pinned, bases, drivers }));
  for (const folder of ["specs", "templates"])
    await cp(join(shipped, folder), join(project.home, folder), { recursive: true });
  return {
    home: project.home,
    async [Symbol.asyncDispose]() {
      await vendor[Symbol.asyncDispose]();
      await project[Symbol.asyncDispose]();
    },
  };
}
