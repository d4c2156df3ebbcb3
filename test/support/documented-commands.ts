import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The commands that a chapter of a page tells its reader to type, a text for each block. */
export async function documentedCommands(page: string, chapter: string): Promise<readonly string[]> {
  const text = await readFile(join(import.meta.dirname, "../..", page), "utf8");
  const [, body = ""] = new RegExp(`^## ${chapter}$([\\s\\S]*?)^## `, "m").exec(text) ?? [];
  return [...body.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = ""]) => commands);
}
