import { join } from "node:path";

import { templateRenderer } from "../../spec/render-template.ts";

/** A file to be, from the root of the sources. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
}

/** Where the texts are: in the sources alone, where alone they are of use. */
export const skeletonFolder = "src/provisioner/cli/new-task/skeleton";

/**
 * A task that works, to be made into another: the text of one file of settings. With its test and with the parameters
 * and the text that both go by.
 */
export function skeletonOf(name: string, root: string): readonly NewFile[] {
  const render = templateRenderer(join(root, skeletonFolder));
  const id = identifierOf(name);
  const some = `some${id.charAt(0).toUpperCase()}${id.slice(1)}`;
  const filled = (template: string) => render(template, { name, id, some });
  return [
    { path: `src/tasks/${name}.ts`, text: filled("module") },
    { path: `test/tasks/${name}.test.ts`, text: filled("test") },
    { path: `test/support/some-${name}.ts`, text: filled("fixture") },
  ];
}

/** The name that code has for it: `clock-source` is `clockSource`. */
export function identifierOf(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
