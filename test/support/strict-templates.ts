import { readFileSync } from "node:fs";

import Handlebars from "handlebars";

import type { RenderTemplate } from "../../src/provisioner/core/templates.ts";

/** Fills the repository's own templates: an unknown name throws. */
export const renderStrict: RenderTemplate = (name, variables) => {
  const text = readFileSync(new URL(`../../templates/${name}.hbs`, import.meta.url), "utf8");
  return Handlebars.compile(text, { strict: true })(variables);
};
