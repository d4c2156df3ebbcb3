import { execFile } from "node:child_process";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Compiles the sources into a folder of their own, for tests that start processes: Node 20 runs no TypeScript.
 * Inside the repository, so that packages are found. The caller removes it.
 */
export async function compileSources(): Promise<string> {
  await mkdir(join(root, "dist"), { recursive: true });
  const folder = await mkdtemp(join(root, "dist", ".test-"));
  await promisify(execFile)(
    join(root, "node_modules", ".bin", "tsc"),
    ["-p", "tsconfig.build.json", "--outDir", folder, "--tsBuildInfoFile", join(folder, ".tsbuildinfo")],
    { cwd: root },
  );
  return folder;
}
