import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import { ProvisionError } from "../core/errors.ts";
import type { Sources } from "../core/sources.ts";
import type { RenderTemplate } from "../core/templates.ts";
import { findSources } from "../spec/formats.ts";

/** Files beside the spec and templates, as tasks ask for them. */
export function specSources(sourceDirs: readonly string[], renderTemplate: RenderTemplate): Sources {
  const find = (path: string): string => {
    const [found] = findSources(sourceDirs, path);
    if (found !== undefined) return found;
    throw new ProvisionError("USAGE", {
      what: `Cannot read source "${path}": must be a file in ${sourceDirs.join(" or ")}, is missing`,
      mend: "Put the file there, or correct the use that names it",
    });
  };
  return {
    async source(path) {
      const file = find(path);
      const hash = createHash("sha256");
      await pipeline(createReadStream(file), hash);
      return { path: file, sha256: hash.digest("hex"), size: (await stat(file)).size };
    },
    text: async (path) => readFile(find(path), "utf8"),
    template: renderTemplate,
  };
}
