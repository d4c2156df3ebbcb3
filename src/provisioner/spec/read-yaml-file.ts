import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { readYaml } from "./read-yaml.ts";
import type { YamlFile } from "./read-yaml.ts";

/** Reads a file of YAML; `shown` is its path as people see it. Only a file that cannot be read at all throws. */
export async function readYamlFile(
  path: string,
  shown: string,
): Promise<{ readonly yaml: YamlFile; readonly sha256: string }> {
  const bytes = await readFile(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const text = decode(bytes);
  const yaml = readYaml(text ?? "", shown);
  return { yaml: text === undefined ? { ...yaml, complaints: [notText(shown)] } : yaml, sha256 };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

function notText(file: string): YamlFile["complaints"][number] {
  return {
    where: { file, line: 1, column: 1 },
    what: "Cannot read YAML: the file must be UTF-8 text, is not",
  };
}
