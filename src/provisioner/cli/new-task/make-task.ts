import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ProvisionError } from "../../core/errors.ts";
import { listTask } from "./list-task.ts";
import { skeletonFolder, skeletonOf } from "./skeleton.ts";

const registryFile = "src/tasks/index.ts";

/** Writes a new task into the sources below `root` and gives the files that were written or changed. */
export async function makeTask(name: string, root: string): Promise<readonly string[]> {
  refuseName(name);
  if (!existsSync(join(root, registryFile)) || !existsSync(join(root, skeletonFolder))) {
    throw new ProvisionError("USAGE", {
      what: `Cannot make a task in ${root}: must be the sources of provision with their tests, is not`,
      mend: "Clone the repository and run `./provision new task` there: a task is a part of provision",
    });
  }
  const files = skeletonOf(name, root);
  const taken = [`src/tasks/${name}`, ...files.map(({ path }) => path)].find((path) =>
    existsSync(join(root, path)),
  );
  if (taken !== undefined) {
    throw new ProvisionError("USAGE", {
      what: `Cannot make task "${name}": ${taken} must not be there yet, is there`,
      mend: `Take another name, or work on ${taken}`,
    });
  }
  const registry = join(root, registryFile);
  const listed = listTask(await readFile(registry, "utf8"), name);
  for (const { path, text } of files) await writeFile(join(root, path), text, { flag: "wx" });
  // Last: what it lists is there.
  await writeFile(registry, listed);
  return [...files.map(({ path }) => path), registryFile];
}

/** What code cannot be called. */
const reserved: readonly string[] =
  "await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in index instanceof interface let new null package private protected public return static super switch task tasks this throw true try typeof var void while with yield write".split(
    " ",
  );

function refuseName(name: string): void {
  if (/^[a-z]+(-[a-z]+)*$/.test(name) && name.length <= 30 && !reserved.includes(name)) return;
  throw new ProvisionError("USAGE", {
    what: `Cannot make task "${name}": must be a noun of lower-case letters and hyphens, 30 characters at most and no word of TypeScript's`,
    mend: "Name the thing that the task settles: `clock-source`, not `set-clock`",
  });
}
