import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Redactor } from "../core/redactor.ts";
import type { PinSources, Sources } from "../core/sources.ts";
import type { RenderTemplate } from "../core/templates.ts";

/** What stands in for what lies beside a spec. */
export interface StandIns {
  /** Where stand-ins of files are written. */
  readonly folder: string;
  /** Names of the templates there are. */
  readonly templates: readonly string[];
  readonly render: RenderTemplate;
  readonly redactor: Redactor;
  readonly pins: PinSources;
}

/**
 * What an example names that lies beside a spec nobody wrote: files and templates have a text that tells their name,
 * secrets are 32 bytes in base64, another for each source. Templates and pins that there are are the real ones.
 */
export function standInSources({ folder, templates, render, redactor, pins }: StandIns): Sources {
  return {
    ...pins,
    async source(path) {
      const text = textOf(path);
      const sha256 = createHash("sha256").update(text).digest("hex");
      const file = join(folder, sha256);
      await mkdir(folder, { recursive: true });
      await writeFile(file, text);
      return { path: file, sha256, size: Buffer.byteLength(text) };
    },
    text: async (path) => textOf(path),
    template(name, variables) {
      if (templates.includes(name)) return render(name, variables);
      return `# ${name}\n${JSON.stringify(variables)}\n`;
    },
    async secret(source) {
      const text = createHash("sha256").update(JSON.stringify(source)).digest("base64");
      redactor.add(text);
      return text;
    },
  };
}

/** A script that does nothing: good as a text, and as a program. */
function textOf(path: string): string {
  return `#!/bin/sh\n# stands in for ${path}\n`;
}
