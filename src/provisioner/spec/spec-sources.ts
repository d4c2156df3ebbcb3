import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";

import { ProvisionError } from "../core/errors.ts";
import type { PinSources, Sources } from "../core/sources.ts";
import { findSources, sourceFormat } from "./formats.ts";
import type { LoadedSpec } from "./image-spec.ts";
import { templateRenderer } from "./render-template.ts";

/**
 * The files beside a spec and the templates, the project's and those that ship, for the reads of its tasks, with the
 * pins and secrets that the caller knows. Each file is hashed once.
 */
export function specSources(
  {
    spec,
    sourceDirs,
  }: Pick<LoadedSpec, "sourceDirs"> & { readonly spec: Pick<LoadedSpec["spec"], "name" | "variables"> },
  templates: { readonly directory: string; readonly shipped: string },
  others: PinSources & Pick<Sources, "secret">,
): Sources {
  const render = templateRenderer(templates.directory, spec.variables, templates.shipped);
  const known = new Map<string, ReturnType<Sources["source"]>>();

  function locate(path: string): string {
    const says = sourceFormat(sourceDirs)(path);
    const [file] = findSources(sourceDirs, path);
    if (says === undefined && file !== undefined) return file;
    throw new ProvisionError("USAGE", {
      what: `Cannot read source "${path}": ${says ?? "it is gone"}`,
      mend: `Put the file there, or correct the spec "${spec.name}"`,
    });
  }

  return {
    source(path) {
      const found = known.get(path) ?? describeSource(locate(path));
      known.set(path, found);
      return found;
    },
    text: async (path) => readFile(locate(path), "utf8"),
    template: render,
    ...others,
  };
}

async function describeSource(path: string): ReturnType<Sources["source"]> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { path, sha256: hash.digest("hex"), size: (await stat(path)).size };
}
