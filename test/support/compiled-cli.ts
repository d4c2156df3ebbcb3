import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { execa } from "execa";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The compiled program in a folder of its own: tests never depend on an older build. */
export interface CompiledCli extends AsyncDisposable {
  /** main.js */
  readonly main: string;
  /** The folder with everything compiled. */
  readonly folder: string;
}

/** Compiles the sources without checking types, which is another step of `npm run check`. Lies within the project, so that packages are found from it. */
export async function compileCli(): Promise<CompiledCli> {
  await execa("mkdir", ["-p", join(root, "dist")]);
  const folder = await mkdtemp(join(root, "dist/test-"));
  const tsc = join(root, "node_modules/.bin/tsc");
  await execa(tsc, ["-p", "tsconfig.build.json", "--outDir", folder, "--incremental", "false", "--noCheck"], {
    cwd: root,
  });
  return {
    folder,
    main: join(folder, "provisioner/main.js"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
