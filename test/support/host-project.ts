import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { somePublicKey } from "./public-key.ts";

/** Writes a project whose hosts say no more than a test is about; gives the environment that finds it. */
export async function writeHosts(
  root: string,
  hosts: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  await Promise.all(["hosts", "specs", "templates"].map((folder) => mkdir(join(root, folder))));
  await writeFile(join(root, "specs", "base.yaml"), "base: debian-13\n");
  await writeFile(
    join(root, "hosts", "defaults.yaml"),
    `image: base\nusers:\n  - { name: alice, keys: [${somePublicKey()}], sudo: true }\n`,
  );
  for (const [name, text] of Object.entries(hosts))
    await writeFile(join(root, "hosts", `${name}.yaml`), `description: ${name}\n${text}`);
  return { PROVISION_HOME: root };
}
