import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";

import { ProvisionError } from "../core/errors.ts";
import { expandHome, type Controller } from "./ssh-tokens.ts";
import { wildcard } from "./wildcard.ts";

/** The file that `readSshConfig` reads. */
export function sshConfigFile(controller: Controller): string {
  return controller.configFile ?? join(controller.home, ".ssh/config");
}

/** Text of the user's ssh_config with its Includes filled in; empty when there is none. */
export async function readSshConfig(controller: Controller): Promise<string> {
  return textOf(sshConfigFile(controller), controller, 0);
}

async function textOf(file: string, controller: Controller, depth: number): Promise<string> {
  const refuse = (what: string, mend: string) =>
    new ProvisionError("SSH_CONFIG_REFUSED", { file, what, mend });
  // 16 is ssh's own bound.
  if (depth > 16) throw refuse("Includes are nested more than 16 deep", "Break the ring of Includes");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw refuse(`it cannot be read: ${error.message}`, `Make "${file}" readable`);
  });
  const lines = await Promise.all(
    text.split(/\r?\n/).map(async (line) => {
      const patterns = /^\s*include(?:\s+|\s*=\s*)(.+)$/i.exec(line)?.[1];
      if (patterns === undefined) return line;
      const files = await Promise.all(words(patterns).map((pattern) => matches(pattern, controller)));
      const texts = await Promise.all(files.flat().map((found) => textOf(found, controller, depth + 1)));
      return texts.join("\n");
    }),
  );
  return lines.join("\n");
}

function words(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((found) => found[1] ?? found[2] ?? "");
}

/** Wildcards stand for names in one folder, which is all that people write there: `conf.d/*.conf`. */
async function matches(pattern: string, controller: Controller): Promise<readonly string[]> {
  const home = expandHome(pattern, controller);
  const path = isAbsolute(home) ? home : join(controller.home, ".ssh", home);
  if (!/[*?]/.test(basename(path))) return [path];
  const names = await readdir(dirname(path)).catch(() => []);
  const wanted = wildcard(basename(path));
  return names
    .filter((name) => !name.startsWith(".") && wanted.test(name))
    .toSorted()
    .map((name) => join(dirname(path), name));
}
