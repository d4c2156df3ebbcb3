import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import type { Complaint, Where } from "../core/errors.ts";
import { nameFormat } from "./formats.ts";
import { nearestName } from "./nearest-name.ts";
import { readYamlFile } from "./read-yaml-file.ts";
import type { YamlFile } from "./read-yaml.ts";

/** One file of a spec. */
export interface SpecFile {
  /** `base` for specs/base.yaml. */
  readonly name: string;
  /** Absolute, links followed. */
  readonly path: string;
  /** Of its bytes, lower-case hex. */
  readonly sha256: string;
  readonly yaml: YamlFile;
}

/** A spec's own file and all it includes. */
export interface SpecFiles {
  /** In the order their tasks run: what is included comes before what includes it; each file once. */
  readonly files: readonly SpecFile[];
  readonly complaints: readonly Complaint[];
}

/** A spec by name, or by path when it has a slash or ends in .yaml, as a path. */
export async function findSpec(spec: string, specsDir: string): Promise<string> {
  const path = /\/|\.ya?ml$/.test(spec) ? spec : join(specsDir, `${spec}.yaml`);
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const known = await specNames(specsDir);
    const nearest = nearestName(spec, known);
    throw new ProvisionError("USAGE", {
      what: `Cannot find spec "${spec}": must be a file ${path}, is missing`,
      mend: nearest === undefined ? `Name one of: ${known.join(", ")}` : `Name "${nearest}"`,
    });
  }
}

/** Names of the specs in a folder, in order. */
export async function specNames(specsDir: string): Promise<readonly string[]> {
  const files = await readdir(specsDir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .toSorted();
}

/** Reads a spec and, depth first, what it includes. Only a file that cannot be read at all throws. */
export async function readSpecFiles(path: string, show: (path: string) => string): Promise<SpecFiles> {
  const files = new Map<string, SpecFile>();
  const complaints: Complaint[] = [];

  async function read(file: string, chain: readonly Link[]): Promise<void> {
    const { yaml, sha256 } = await readYamlFile(file, show(file));
    complaints.push(...yaml.complaints);
    const name = basename(file).replace(/\.ya?ml$/, "");
    for (const { name: included, where } of includesOf(yaml)) {
      const link: Link = { name, path: file, where };
      const target = await locate(included, dirname(file), where, complaints);
      if (target === undefined) continue;
      const loop = [...chain, link].findIndex((seen) => seen.path === target);
      if (loop >= 0) complaints.push(cycle([...chain, link].slice(loop), included));
      else if (!files.has(target)) await read(target, [...chain, link]);
    }
    files.set(file, { name, path: file, sha256, yaml });
  }

  await read(path, []);
  return { files: [...files.values()], complaints };
}

/** A file that includes, and where in it. */
interface Link {
  readonly name: string;
  readonly path: string;
  readonly where: Where;
}

interface Include {
  readonly name: string;
  readonly where: Where;
}

/** What is no list of texts is the schema's to complain about. */
function includesOf(yaml: YamlFile): readonly Include[] {
  const includes = (yaml.value as { includes?: unknown } | null | undefined)?.includes;
  if (!Array.isArray(includes)) return [];
  return includes.flatMap((name: unknown, index) =>
    typeof name === "string" ? [{ name, where: yaml.where(["includes", index]) }] : [],
  );
}

async function locate(
  name: string,
  directory: string,
  where: Where,
  complaints: Complaint[],
): Promise<string | undefined> {
  const known = await specNames(directory);
  const says = nameFormat("spec of its folder", known)(name);
  if (says === undefined) return realpath(join(directory, `${name}.yaml`));
  complaints.push({ where, what: `Cannot include "${name}": ${says}` });
  return undefined;
}

function cycle(links: readonly Link[], back: string): Complaint {
  const chain = links.map(({ name, where }) => `${name} (${where.file}:${where.line}:${where.column})`);
  const last = links.at(-1) as Link;
  const what = `Cannot include "${back}": includes must not come back to where they start, are ${chain.join(" -> ")} -> ${back}`;
  return { where: last.where, what };
}

/** Whether a file is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
